import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { issuesOf } from '../../../core/model/schema.ts';
import type { Channel, Exchange, Message } from '../../../core/skull/channels/channel.ts';
import { CHANNELS } from '../../../core/skull/channels/index.ts';
import { checkedSection } from '../../../core/skull/config/check.ts';
import { patchSchema } from '../../../core/skull/config/patch.ts';
import { DEFAULTS, SECTION_NAMES, SECTIONS } from '../../../core/skull/config/sections.ts';
import { Intake } from '../../../core/skull/intake.ts';
import { SIGNALS } from '../../../core/skull/topics.ts';
import { SimulatedClock } from '../../support/clock.ts';
import { keepingLog } from '../../support/ports.ts';

const FLOWS = path.resolve(import.meta.dirname, '../../../flows');

/** What the flows listen to. */
function heard(): string[] {
  const nodes = readdirSync(FLOWS).flatMap((file) => JSON.parse(readFileSync(path.join(FLOWS, file), 'utf8')));
  return nodes.flatMap(({ type, topics }) => (type === 'skull-signal' ? topics : []));
}

const exchanges = ({ receive, send }: Channel): Exchange[] => [receive, send].filter((one) => one !== undefined);
const received = CHANNELS.filter(({ receive }) => receive !== undefined);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a payload has one of the forms. */
const isDocumented = (messages: readonly Message[], payload: string): boolean =>
  messages.some(({ type, schema }) => {
    const value = type === 'text/plain' ? payload : jsonOf(payload);
    return value !== undefined && issuesOf(schema, structuredClone(value)).length === 0;
  });

const textOf = ({ type }: Message, example: unknown): string =>
  type === 'text/plain' ? String(example) : JSON.stringify(example);

describe('the list of channels', () => {
  it('has what the flows listen to, and nothing else', () => {
    const addresses = received.map(({ address }) => address.replaceAll(/\{\w+\}/g, '+'));
    assert.deepEqual(addresses.sort(), heard().sort());
  });

  it('has each address and each form once', () => {
    const addresses = CHANNELS.map(({ address }) => address);
    assert.deepEqual([...new Set(addresses)], addresses);
    const forms = new Map<string, Message>();
    for (const message of CHANNELS.flatMap(exchanges).flatMap(({ messages }) => messages)) {
      assert.deepEqual(forms.get(message.id) ?? message, message);
      forms.set(message.id, message);
    }
  });

  it('has examples that fit, for every form', () => {
    for (const { id, schema, examples } of CHANNELS.flatMap(exchanges).flatMap(({ messages }) => messages)) {
      assert.ok(examples.length > 0, id);
      for (const example of examples) assert.deepEqual(issuesOf(schema, structuredClone(example)), [], id);
    }
  });

  it('describes exactly the payloads that the intake takes', () => {
    const examples = received.flatMap(({ receive }) =>
      (receive?.messages ?? []).flatMap((message) => message.examples.map((example) => textOf(message, example))),
    );
    const odd = ['', ' ', '{', '{}', '[]', 'null', 'true', '0', '""', '"on"', '"done"', '"start"', 'ON', 'Track'];
    const wrong = [
      '{"score":2}',
      '{"x":0}',
      '{"active":"on"}',
      '{"text":" "}',
      '{"text":"a","final":0}',
      '{"state":"done","id":null}',
      '{"text":"a","id":null}',
      '{"id":null}',
      '{"state":"Track"}',
      '{"mode":"IA"}',
      '{"held":1}',
      '{"activity":"dance"}',
      '{"activity":"greet","more":1}',
    ];
    for (const { address, receive } of received) {
      if (!SIGNALS.has(address)) continue;
      for (const payload of [...examples, ...odd, ...wrong]) {
        const intake = new Intake({ clock: new SimulatedClock(), log: keepingLog(), life: { seen: () => undefined } });
        const taken = intake.read({ topic: address, payload: Buffer.from(payload), stored: false }) !== undefined;
        assert.equal(isDocumented(receive?.messages ?? [], payload), taken, `${address} ${payload}`);
      }
    }
  });

  it('takes sections whose keys are left out', () => {
    const { receive } = CHANNELS.find(({ address }) => address === 'skull/config/{section}') ?? {};
    assert.equal(receive?.messages.length, SECTION_NAMES.length);
    assert.ok(isDocumented(receive?.messages ?? [], '{}'));
    assert.ok(isDocumented(receive?.messages ?? [], '{"motion":{}}'));
    assert.deepEqual(checkedSection('services', { motion: {} }), DEFAULTS.services);
  });
});

describe('the schema of a patch', () => {
  const fits = (section: keyof typeof SECTIONS, patch: unknown) =>
    issuesOf(patchSchema(SECTIONS[section]), patch).length === 0;

  it('lets every key be left out, or be null', () => {
    assert.ok(fits('fullauto', {}));
    assert.ok(fits('fullauto', { hold: null, quiet_hours: { from: '21:00' } }));
    assert.ok(fits('ia', { backend: null }));
    assert.ok(fits('motion', { servos: { pan: { max: 30 }, tilt: null } }));
  });

  it('refuses what the section refuses', () => {
    assert.ok(!fits('fullauto', { hold: 'yes' }));
    assert.ok(!fits('ia', { backend: 'other' }));
    assert.ok(!fits('motion', { servos: { pan: { max: 300 } } }));
    assert.ok(!fits('gaze', { unknown: 1 }));
  });

  it('sets no defaults', () => {
    const patch = {};
    issuesOf(patchSchema(SECTIONS.gaze), patch);
    assert.deepEqual(patch, {});
  });
});
