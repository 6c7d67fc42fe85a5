import type { NodeAPI } from 'node-red';
import type { PackPorts } from '../core/model/ports.ts';
import type { Character } from '../core/skull/character.ts';
import { stockPorts } from './stock.ts';

/** The ports of the headless runtime where it hosts us; in a stock Node-RED our own. */
export function portsOf(RED: NodeAPI): PackPorts {
  const settings: { skullPorts?: PackPorts; userDir?: string | undefined } = RED.settings;
  return settings.skullPorts ?? stockPorts(settings.userDir ?? '.', RED.log);
}

/** The character of the config node with this id; undefined where there is none. */
export function characterOf(RED: NodeAPI, id: string | undefined): Character | undefined {
  const node: object | null | undefined = id ? RED.nodes.getNode(id) : undefined;
  return node && 'character' in node ? (node.character as Character) : undefined;
}
