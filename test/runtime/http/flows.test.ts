import assert from 'node:assert/strict';
import path from 'node:path';
import { OPERATIONS } from '../../../core/skull/operations/index.ts';
import { type FlowNode, readFlowFiles } from '../../../runtime/flows/files.ts';
import { findOperation, flowUrl, methodsAt } from '../../../runtime/http/routes.ts';

const nodes = readFlowFiles(path.resolve(import.meta.dirname, '../../../flows')).flatMap((file) => file.nodes);
const byId = new Map(nodes.map((node) => [node.id, node]));
const entrances = nodes.filter(({ type }) => type === 'http in');

function wired(node: FlowNode | undefined, output: number): FlowNode[] {
  const wires = (node?.wires ?? []) as string[][];
  return (wires[output] ?? []).flatMap((id) => byId.get(id) ?? []);
}

describe('the flows and the list of operations', () => {
  it('have the same places', () => {
    const inFlows = entrances.map(({ method, url }) => `${String(method).toUpperCase()} ${url}`);
    const listed = OPERATIONS.map((operation) => `${operation.method} ${flowUrl(operation)}`);
    assert.deepEqual(inFlows.sort(), listed.sort());
  });

  for (const entrance of entrances) {
    it(`${entrance.method} ${entrance.url} leads through its operation to an answer`, () => {
      const [node, ...more] = wired(entrance, 0);
      assert.equal(more.length, 0, 'a request is answered once');
      assert.equal(node?.type, 'skull-operation');
      const operation = OPERATIONS.find(({ id }) => id === node?.operation);
      assert.ok(operation, `${node?.operation} is not an operation`);
      assert.equal(
        `${operation.method} ${flowUrl(operation)}`,
        `${String(entrance.method).toUpperCase()} ${entrance.url}`,
      );
      assert.deepEqual(
        wired(node, 0).map(({ type }) => type),
        ['http response'],
      );
      assert.equal(entrance.skipBodyParsing, false, 'it would read whole bodies before anybody is asked for a key');
      if (operation.id === 'moveServo')
        assert.deepEqual(
          wired(node, 1).map(({ type }) => type),
          ['skull-command'],
        );
    });
  }
});

describe('routes', () => {
  it('find an operation only where the flow is reached', () => {
    assert.equal(findOperation('GET', '/status')?.id, 'getStatus');
    assert.equal(findOperation('HEAD', '/status')?.id, 'getStatus');
    assert.equal(findOperation('POST', '/servo/jaw/move')?.id, 'moveServo');
    for (const url of [
      '/status/',
      '/Status',
      '//status',
      '/servo//move',
      '/servo/jaw/move/',
      '/servo/a/b/move',
      '',
      '/',
    ]) {
      assert.equal(findOperation('GET', url), undefined, url);
      assert.equal(findOperation('POST', url), undefined, url);
    }
  });

  it('know the methods of a path', () => {
    assert.deepEqual(methodsAt('/config/gaze').sort(), ['GET', 'HEAD', 'OPTIONS', 'PATCH', 'PUT']);
    assert.deepEqual(methodsAt('/estop'), ['POST', 'OPTIONS']);
    assert.deepEqual(methodsAt('/nothing'), []);
  });
});
