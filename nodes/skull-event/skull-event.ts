import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { Character } from '../../core/skull/character.ts';
import { priorityStatus } from '../../core/skull/priorities.ts';
import { nextId, withoutIdleMetrics } from '../hot-path.ts';
import { characterOf } from '../ports.ts';

interface EventDef extends NodeDef {
  character: string;
  source: 'events' | 'status' | 'tasks';
}

const STATUS_EVERY_MS = 1000;

/** What happens to the character, as messages: each event, or its status, or that of its tasks, when it has changed. */
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
        ? watch(character, () => send('orchestrator/status', character.status(), true))
        : def.source === 'tasks'
          ? watch(character, () => send('orchestrator/tasks', priorityStatus(character), true))
          : character.events.onEvent((event) => send('orchestrator/event', event, false)),
    );
  }
  RED.nodes.registerType('skull-event', create as never);
}

/** Calls the listener soon after something changed, at most once a second. Returns the function that ends it. */
function watch(character: Character, listener: () => void): () => void {
  const { clock } = character;
  let waiting: unknown;
  let sentAt = Number.NEGATIVE_INFINITY;
  const send = () => {
    waiting = undefined;
    sentAt = clock.elapsed();
    listener();
  };
  const changed = () => {
    waiting ??= clock.setTimeout(send, Math.max(0, sentAt + STATUS_EVERY_MS - clock.elapsed()));
  };
  const ends = [character.events.onEvent(changed), character.link.onConnection(changed)];
  return () => {
    for (const end of ends) end();
    clock.clearTimeout(waiting);
  };
}
