import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../adapters/files/package-root.ts';

const CLI = path.join(PACKAGE_ROOT, 'node_modules/@redocly/cli/bin/cli.js');

/** What Redocly's linter, in its strict mood, finds wrong with a document. Throws where it cannot tell. */
export function lint(document: object): unknown[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'skull-lint-'));
  const file = path.join(folder, 'document.json');
  writeFileSync(file, JSON.stringify(document));
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [CLI, 'lint', file, '--extends=recommended-strict', '--format=json'],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    },
  );
  rmSync(folder, { recursive: true });
  const { problems } = JSON.parse(stdout || '{}');
  if (!Array.isArray(problems)) throw new Error(`the linter said ${stdout}${stderr}`);
  return problems;
}
