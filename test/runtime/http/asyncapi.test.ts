import assert from 'node:assert/strict';
import { Parser } from '@asyncapi/parser';
import { asyncApiDocument } from '../../../runtime/http/asyncapi.ts';
import { lint } from '../../support/redocly.ts';

/** The topics of the product, as its users were promised them. */
const PROMISED = {
  receive: [
    'vision/motion',
    'vision/pose',
    'audio/vad',
    'asr/text',
    'ai/response',
    'voice/state',
    'motion/estop',
    'skull/mode',
    'skull/config/{section}',
    '{service}/heartbeat',
  ],
  send: [
    'orchestrator/state',
    'skull/mode',
    'skull/config/{section}',
    'orchestrator/availability',
    'orchestrator/status',
    'orchestrator/event',
    'motion/estop',
    'orchestrator/estop',
    ...['say', 'play', 'pause', 'resume', 'stop'].map((verb) => `voice/${verb}`),
    ...['center', 'track', 'servo/{name}/move', 'servo/{name}/limits', 'jaw'].map((what) => `motion/${what}`),
    'asr/listen',
    'ai/request',
    'ai/config',
  ],
};
const RETAINED = [
  ...['state', 'availability', 'status', 'estop', 'tasks', 'health'].map((word) => `orchestrator/${word}`),
  'skull/mode',
  'skull/config/{section}',
  'motion/estop',
  'motion/servo/{name}/limits',
  'ai/config',
];

async function parsed() {
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument('1.2.3')));
  return { document, diagnostics };
}

describe('the AsyncAPI document', function () {
  this.timeout(60_000);

  it('is valid for its own parser, who has nothing to remark', async () => {
    const { document, diagnostics } = await parsed();
    assert.deepEqual(diagnostics, []);
    assert.equal(document?.info().version(), '1.2.3');
  });

  it('passes the linter without a warning', () => {
    assert.deepEqual(lint(asyncApiDocument('1.2.3')), []);
    assert.notDeepEqual(lint({ ...asyncApiDocument('1.2.3'), more: 1 }), []);
  });

  it('has the topics that were promised', async () => {
    const { document } = await parsed();
    const operations = document?.operations().all() ?? [];
    for (const action of ['receive', 'send'] as const) {
      const found = operations
        .filter((operation) => operation.action() === action)
        .map((operation) => operation.channels().all()[0]?.address());
      assert.deepEqual(
        PROMISED[action].filter((address) => !found.includes(address)),
        [],
      );
    }
  });

  it('says what is retained, and the last will', async () => {
    const { document } = await parsed();
    const sent = (document?.operations().all() ?? []).filter((operation) => operation.action() === 'send');
    const retained = sent
      .filter((operation) => operation.bindings().get('mqtt')?.value().retain)
      .map((operation) => operation.channels().all()[0]?.address());
    assert.deepEqual(retained.sort(), RETAINED.sort());
    for (const server of document?.servers().all() ?? []) {
      assert.deepEqual(server.bindings().get('mqtt')?.value().lastWill, {
        topic: 'orchestrator/availability',
        qos: 0,
        retain: true,
        message: 'offline',
      });
    }
  });

  it('describes plain words beside JSON where both are taken', async () => {
    const { document } = await parsed();
    const types = (address: string) =>
      document
        ?.channels()
        .all()
        .find((channel) => channel.address() === address)
        ?.messages()
        .all()
        .map((message) => message.contentType());
    assert.deepEqual(types('voice/state'), ['text/plain', 'application/json']);
    assert.deepEqual(types('vision/motion'), ['application/json']);
  });

  it('describes every property', () => {
    const silent: string[] = [];
    const look = (value: unknown, place: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const { properties, type } = Object(value);
      for (const [name, property] of type === undefined ? [] : Object.entries(Object(properties))) {
        const { description, $ref } = Object(property);
        if (description === undefined && $ref === undefined) silent.push(`${place} ${name}`);
      }
      for (const [key, part] of Object.entries(value)) {
        if (!['examples', 'default'].includes(key)) look(part, `${place}/${key}`);
      }
    };
    look(asyncApiDocument('1.2.3').components, '');
    assert.deepEqual(silent, []);
  });

  it('holds nothing that is only for us', () => {
    assert.doesNotMatch(JSON.stringify(asyncApiDocument('1.2.3')), /"x-/);
  });
});
