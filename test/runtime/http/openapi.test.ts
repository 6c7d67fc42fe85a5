import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { OPERATIONS } from '../../../core/skull/operations/index.ts';
import { openApiDocument } from '../../../runtime/http/openapi.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');

describe('the OpenAPI document', () => {
  it('has each operation, with its role and its errors', () => {
    const { paths } = openApiDocument('1.2.3') as { paths: Record<string, Record<string, Record<string, unknown>>> };
    const found = Object.entries(paths).flatMap(([place, item]) =>
      Object.entries(item).map(([method, { operationId }]) => `${method.toUpperCase()} ${place} ${operationId}`),
    );
    assert.deepEqual(found.sort(), OPERATIONS.map(({ id, method, path }) => `${method} ${path} ${id}`).sort());
    const move = paths['/servo/{name}/move']?.post;
    assert.deepEqual(Object.keys(Object(move?.responses)).sort(), '200 400 401 403 404 409 413 415 422 503'.split(' '));
    assert.match(String(move?.description), /`editor`/);
    assert.deepEqual(paths['/health']?.get?.security, []);
  });

  it('refers to the sections of the configuration and to problems by name', () => {
    const text = JSON.stringify(openApiDocument('1.2.3'));
    for (const name of ['GazeConfig', 'IaConfig', 'Problem', 'Status', 'Mode', 'Activity', 'ServoLimits']) {
      assert.ok(text.includes(`{"$ref":"#/components/schemas/${name}"}`), name);
    }
  });

  it('passes the linter without a warning', function () {
    this.timeout(60_000);
    const folder = mkdtempSync(path.join(tmpdir(), 'skull-openapi-'));
    const file = path.join(folder, 'openapi.json');
    writeFileSync(file, JSON.stringify(openApiDocument('1.2.3')));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(ROOT, 'node_modules/@redocly/cli/bin/cli.js'), 'lint', file, '--extends=recommended', '--format=json'],
      {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
      },
    );
    rmSync(folder, { recursive: true });
    const { totals, problems } = JSON.parse(stdout || '{}');
    assert.deepEqual(problems, [], stderr);
    assert.deepEqual([status, totals], [0, { errors: 0, warnings: 0, ignored: 0 }]);
  });
});
