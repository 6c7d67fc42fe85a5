import assert from 'node:assert/strict';
import { checkFlows, unknownType } from '../../../runtime/flows/check.ts';
import type { FlowFile } from '../../../runtime/flows/files.ts';

const file = (name: string, ...nodes: FlowFile['nodes']): FlowFile => ({ name, text: '', nodes });
const sound = () => [];

describe('the check of the flows', () => {
  it('passes what is sound', () => {
    checkFlows('/flows', [file('010-a.json', { id: 'a', type: 'tab' }, { id: 'f', type: 'skull-fsm' })], sound);
  });

  it('names both files of an id that is there twice', () => {
    const files = [file('010-a.json', { id: 'x', type: 'tab' }), file('020-b.json', { id: 'x', type: 'change' })];
    assert.throws(() => checkFlows('/flows', files, sound), {
      message: 'The flow file /flows/020-b.json, node "x": the same id is in /flows/010-a.json.',
    });
  });

  it('names file, node and place of a broken definition', () => {
    const fsm = { id: 'f', type: 'skull-fsm', name: 'body', definition: { initial: 'Nowhere' } };
    const check = (definition: unknown) => {
      assert.equal(definition, fsm.definition);
      return [{ path: '/initial', message: 'there is no state "Nowhere"' }];
    };
    assert.throws(() => checkFlows('/flows', [file('010-a.json', fsm)], check), {
      code: 'document_broken',
      message: 'The flow file /flows/010-a.json, node "body" (f) at /definition/initial: there is no state "Nowhere"',
    });
  });

  it('names the node whose type nobody provides', () => {
    const files = [file('010-a.json', { id: 'a', type: 'tab' }, { id: 'n', type: 'teleport', name: 'Go' })];
    assert.equal(
      unknownType('/flows', files, ['teleport']).message,
      'The flow file /flows/010-a.json, node "Go" (n) at /type: "teleport" is a type of node that no installed package brings.',
    );
  });
});
