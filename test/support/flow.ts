import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NodeAPI } from 'node-red';
import helper from 'node-red-node-test-helper';
import { JsonFolder } from '../../adapters/files/json-folder.ts';
import type { PackPorts } from '../../core/model/ports.ts';
import type { ServiceManager } from '../../core/model/service-manager.ts';
import type { SongLibrary } from '../../core/model/songs.ts';
import type { Character } from '../../core/skull/character.ts';
import skullCharacter from '../../nodes/skull-character/skull-character.ts';
import { SimulatedClock } from './clock.ts';
import { RecordingLink } from './link.ts';
import { countingRandom, keepingLog, memoryEvents, TestMeter } from './ports.ts';
import { MemorySongs } from './songs.ts';

type NodeSet = (RED: NodeAPI) => void;

export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** The config node that every flow of the tests has, under the id `skull`. */
export const CHARACTER: FlowNode = {
  id: 'skull',
  type: 'skull-character',
  name: 'Skull',
  url: 'mqtt://recording',
  availabilityTopic: 'orchestrator/availability',
};

const TAB: FlowNode = { id: 'tab', type: 'tab' };
/** Node-RED takes a node without a place for a config node. */
const placed = (node: FlowNode): FlowNode => ({ x: 0, y: 0, z: TAB.id, ...node });

/** Loads a flow into a Node-RED whose character has a recording link, a simulated clock and a folder of its own. */
export async function loadFlow(
  nodeSets: readonly NodeSet[],
  flow: readonly FlowNode[],
  { songs = new MemorySongs() as SongLibrary, services = undefined as ServiceManager | undefined } = {},
) {
  const home = mkdtempSync(path.join(tmpdir(), 'skull-test-'));
  const clock = new SimulatedClock();
  const log = keepingLog();
  const link = new RecordingLink();
  const meter = new TestMeter();
  const ports: PackPorts = {
    clock,
    random: countingRandom(),
    log,
    version: '0.0.0',
    home,
    connect: () => link,
    documents: (folder) => new JsonFolder(path.join(home, folder)),
    songs,
    services,
    events: memoryEvents(),
    metrics: undefined,
    meter: () => meter,
    stopping: new AbortController().signal,
  };
  helper.settings({ skullPorts: ports });
  await helper.load([skullCharacter, ...nodeSets], [TAB, CHARACTER, ...flow.map(placed)]);
  const node = (id: string) => helper.getNode(id);
  const { character } = node('skull') as unknown as { character: Character };
  return {
    home,
    clock,
    log,
    link,
    meter,
    character,
    node,
    /** The next message that the node with this id receives. */
    next: (id: string) => new Promise<Record<string, unknown>>((resolve) => node(id).once('input', resolve as never)),
    async unload() {
      await helper.unload();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export type LoadedFlow = Awaited<ReturnType<typeof loadFlow>>;
