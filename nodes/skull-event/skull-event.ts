import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { Character } from '../../core/skull/character.ts';
import { nextId, withoutIdleMetrics } from '../hot-path.ts';
import { characterOf } from '../ports.ts';

interface EventDef extends NodeDef {
  character: string;
  source: 'events' | 'status';
}

const STATUS_EVERY_MS = 1000;

/** What happens to the character, as messages: each event, or its status when that has changed. */
export default function skullEvent(RED: NodeAPI): void {
  function create(this: Node, def: EventDef): void {
    RED.nodes.createNode(this, def);
    withoutIdleMetrics(this);
    const character = characterOf(RED, def.character);
    if (character === undefined) {
      this.status({ fill: 'red', shape: 'ring', text: 'skull-event.status.no-character' });
      return;
    }
    const send = (topic: string, payload: object, retain: boolean) =>
      this.send({ _msgid: nextId(), topic, payload, retain } as NodeMessage);
    this.on(
      'close',
      def.source === 'status'
        ? watchStatus(character, (status) => send('orchestrator/status', status, true))
        : character.events.onEvent((event) => send('orchestrator/event', event, false)),
    );
  }
  RED.nodes.registerType('skull-event', create as never);
}

/** Calls the listener with the status soon after it changed, at most once a second. Returns the function that ends it. */
function watchStatus(character: Character, listener: (status: object) => void): () => void {
  const { clock } = character;
  let waiting: unknown;
  let sentAt = Number.NEGATIVE_INFINITY;
  const send = () => {
    waiting = undefined;
    sentAt = clock.now();
    listener(character.status());
  };
  const changed = () => {
    waiting ??= clock.setTimeout(send, Math.max(0, sentAt + STATUS_EVERY_MS - clock.now()));
  };
  const ends = [character.events.onEvent(changed), character.link.onConnection(changed)];
  return () => {
    for (const end of ends) end();
    clock.clearTimeout(waiting);
  };
}
