import type { Node, NodeAPI, NodeDef } from 'node-red';
import { Character } from '../../core/skull/character.ts';
import { meterCharacter } from '../../core/skull/metrics.ts';
import { portsOf } from '../ports.ts';

interface CharacterDef extends NodeDef {
  url: string;
  clientId?: string;
  availabilityTopic?: string;
}

type CharacterNode = Node<{ username?: string; password?: string }> & { character?: Character };

/** The config node that holds one skull: its broker, its configuration and what its nodes share. */
export default function skullCharacter(RED: NodeAPI): void {
  function create(this: CharacterNode, def: CharacterDef): void {
    RED.nodes.createNode(this, def);
    const ports = portsOf(RED);
    const link = ports.connect({
      url: def.url,
      username: this.credentials?.username,
      password: this.credentials?.password,
      clientId: def.clientId || undefined,
      will: def.availabilityTopic ? { topic: def.availabilityTopic, online: 'online', offline: 'offline' } : undefined,
      log: ports.log,
    });
    const character = new Character(ports, link);
    this.character = character;
    const endMetrics = ports.metrics && meterCharacter(character, ports.metrics);
    const retire = () => character.retire();
    ports.stopping.addEventListener('abort', retire);
    this.on('close', (done: () => void) => {
      ports.stopping.removeEventListener('abort', retire);
      endMetrics?.();
      character.close().then(done, (error: unknown) => {
        this.error(error);
        done();
      });
    });
  }
  RED.nodes.registerType('skull-character', create as never, {
    credentials: { username: { type: 'text' }, password: { type: 'password' } },
  });
}
