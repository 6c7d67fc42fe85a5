import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import type { Envelope } from '../../core/model/songs.ts';
import { Lane } from '../../core/scheduler/lane.ts';
import skullJaw from '../../nodes/skull-jaw/skull-jaw.ts';
import { CHARACTER, type FlowNode, type LoadedFlow, loadFlow } from '../support/flow.ts';
import { settled } from '../support/settled.ts';

const TAB: FlowNode = { id: 'tab', type: 'tab' };
const place = { z: 'tab', x: 0, y: 0 };
const around: FlowNode[] = [
  { id: 'frames', type: 'helper', ...place },
  { id: 'caught', type: 'catch', wires: [['errors']], ...place },
  { id: 'errors', type: 'helper', ...place },
];
const nodes = (extra: object = {}): FlowNode[] => [
  { id: 'jaw', type: 'skull-jaw', character: 'skull', wires: [['frames']], ...place, ...extra },
  ...around,
];

const loud = (frames: number): Envelope => ({ frameMs: 40, frames: new Uint8Array(frames).fill(255) });

describe('skull-jaw', () => {
  let flow: LoadedFlow;
  let frames: { open: number; t: number }[];
  let errors: string[];
  /** Settles the question for the envelope of a song. */
  let reads: Map<string, { resolve: (envelope?: Envelope) => void; reject: (error: Error) => void }>;

  const listen = () => {
    flow.node('frames').on('input', ({ topic, payload }) => {
      assert.equal(topic, 'motion/jaw');
      frames.push(payload as never);
    });
    flow.node('errors').on('input', (msg) => void errors.push((msg as { error?: Error }).error?.message ?? ''));
  };
  async function load(extra: object = {}): Promise<void> {
    frames = [];
    errors = [];
    reads = new Map();
    flow = await loadFlow([skullJaw], nodes(extra));
    Object.assign(flow.character.ports.songs, {
      envelope: (song: string) =>
        new Promise<Envelope | undefined>((resolve, reject) => reads.set(song, { resolve, reject })),
    });
    listen();
  }
  async function send(topic: string, payload?: unknown): Promise<void> {
    flow.node('jaw').receive({ topic, payload } as never);
    await settled();
  }
  async function read(song: string, envelope?: Envelope): Promise<void> {
    reads.get(song)?.resolve(envelope);
    await settled();
  }
  async function pass(ms: number): Promise<void> {
    flow.clock.advance(ms);
    await settled();
  }
  const times = () => frames.splice(0).map(({ t }) => t);

  afterEach(() => flow.unload());

  it('sends the frames of a song that plays', async () => {
    await load();
    await send('play', { song: 'thriller' });
    await read('thriller', loud(2));
    await pass(1000);
    assert.deepEqual(frames, [
      { open: 1, t: 0 },
      { open: 1, t: 40 },
      { open: 0, t: 80 },
    ]);
  });

  it('goes on at any place of a song', async () => {
    await load();
    await send('play', { song: 'thriller', position_ms: 10_000 });
    await read('thriller', loud(1000));
    await pass(50);
    assert.deepEqual(times(), [10_000, 10_040]);
  });

  it('looks a song up again where it begins anew, not where it goes on', async () => {
    await load();
    await send('play', { song: 'thriller' });
    await read('thriller', loud(1000));
    await pass(20);
    await send('stop');
    reads.clear();
    await send('play', { song: 'thriller', position_ms: 400 });
    await pass(20);
    assert.deepEqual(times(), [0, 400]);
    await send('play', { song: 'thriller' });
    await read('thriller', loud(1));
    await pass(1000);
    assert.deepEqual(times(), [0, 40]);
  });

  it('joins in where the song is once its envelope is there', async () => {
    await load();
    await send('play', { song: 'thriller' });
    await pass(3000);
    await send('sync', { position_ms: 2500 });
    await pass(500);
    await read('thriller', loud(1000));
    await pass(50);
    assert.deepEqual(times(), [3000, 3040]);
  });

  it('goes by what the player says of its position', async () => {
    await load();
    await send('play', { song: 'thriller' });
    await read('thriller', loud(1000));
    await pass(20);
    await send('sync', { position_ms: 5000 });
    await pass(60);
    assert.deepEqual(times(), [0, 5040]);
  });

  it('obeys the last word while an envelope is read', async () => {
    await load();
    await send('play', { song: 'slow' });
    await send('stop');
    await read('slow', loud(1000));
    await send('play', { song: 'slow' });
    await send('play', { song: 'quick', position_ms: 400 });
    await read('quick', loud(11));
    await read('slow', loud(1000));
    await pass(1000);
    assert.deepEqual(times(), [400, 440]);
  });

  it('stops', async () => {
    await load();
    const idle = flow.clock.pending;
    await send('play', { song: 'thriller' });
    await read('thriller', loud(1000));
    await pass(50);
    await send('stop');
    await pass(1000);
    assert.deepEqual(times(), [0, 40]);
    assert.equal(flow.clock.pending, idle);
  });

  it('warns once of a song that it cannot follow, and moves nothing', async () => {
    await load();
    const warnings: unknown[] = [];
    const told: NodeJS.EventEmitter = flow.node('jaw');
    told.on('call:warn', ({ firstArg }: { firstArg: unknown }) => void warnings.push(firstArg));
    for (const song of ['broken', 'broken', 'unreadable']) {
      await send('play', { song });
      if (song === 'broken') await read(song);
      else reads.get(song)?.reject(new Error('no disk'));
      await pass(1000);
    }
    await send('play', { song: 'over' });
    await send('stop');
    reads.get('over')?.reject(new Error('no disk'));
    await settled();
    assert.equal(warnings.length, 2);
    assert.deepEqual([frames, errors], [[], []]);
  });

  it('gives what is wrong with a message to a catch node, and goes on', async () => {
    await load();
    await send('play', { song: 'thriller' });
    await read('thriller', loud(1000));
    for (const [topic, payload] of [
      ['play', {}],
      ['play', { song: '' }],
      ['play', { song: 'x', position_ms: -1 }],
      ['sync', { position_ms: '5' }],
      ['sync', undefined],
      ['dance', {}],
    ] as const) {
      await send(topic, payload);
    }
    assert.equal(errors.length, 6, errors.join('\n'));
    assert.match(errors[2] ?? '', /position_ms/);
    assert.match(errors[5] ?? '', /play, sync or stop/);
    await pass(50);
    assert.deepEqual(times(), [0, 40]);
  });

  it('goes on after a deploy, and ends when it is removed', async () => {
    await load();
    await send('play', { song: 'thriller' });
    await read('thriller', loud(1000));
    await pass(50);
    await helper.setFlows([TAB, CHARACTER, ...nodes({ name: 'changed' })]);
    listen();
    await pass(100);
    await read('thriller', loud(1000));
    await pass(50);
    assert.deepEqual(times(), [0, 40, 160, 200]);
    await helper.setFlows([TAB, CHARACTER, ...around]);
    assert.equal(flow.clock.pending, 0);
    await helper.setFlows([TAB, CHARACTER, ...nodes()]);
    listen();
    await read('thriller', loud(1000));
    await pass(1000);
    assert.deepEqual(times(), []);
  });

  it('takes up only what played when it was closed', async () => {
    await load();
    await send('play', { song: 'thriller' });
    for (const word of ['sync', 'stop', 'sync']) {
      await helper.setFlows([TAB, CHARACTER, ...nodes()]);
      listen();
      await send(word, { position_ms: 0 });
    }
    await read('thriller', loud(1000));
    await pass(1000);
    assert.deepEqual(times(), []);
  });

  it('says so when it has no character', async () => {
    await load({ character: '' });
    await send('play', { song: 'thriller' });
    assert.equal(reads.size, 0);
  });

  it('has songs read that nobody has read yet, a while after the start', async () => {
    await load();
    const lane = new Lane({ clock: flow.clock, random: flow.character.random, performer: { start: () => undefined } });
    flow.character.arbitrate(lane);
    Object.assign(flow.character.ports.songs, { list: async () => [{ name: 'new', duration_ms: null }] });
    await pass(59_999);
    assert.equal(lane.running.length, 0);
    await pass(1);
    assert.deepEqual([lane.running[0]?.kind, [...reads.keys()]], ['housekeeping', ['new']]);
    await read('new');
    assert.equal(lane.completedCount, 1);
  });
});
