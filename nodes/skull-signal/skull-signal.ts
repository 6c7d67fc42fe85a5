import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { showConnection } from '../connection-status.ts';
import { nextId, withoutIdleMetrics } from '../hot-path.ts';
import { characterOf } from '../ports.ts';

interface SignalDef extends NodeDef {
  character: string;
  topics: string[];
  express?: boolean;
}

/** MQTT in: what the skull's services say, each payload read and checked before it becomes a message. */
export default function skullSignal(RED: NodeAPI): void {
  function create(this: Node, def: SignalDef): void {
    RED.nodes.createNode(this, def);
    withoutIdleMetrics(this);
    const character = characterOf(RED, def.character);
    if (character === undefined) {
      this.status({ fill: 'red', shape: 'ring', text: 'skull-signal.status.no-character' });
      return;
    }
    const { intake, link } = character;
    const endSubscription = link.subscribe(
      def.topics,
      (message) => {
        const payload = intake.read(message);
        if (payload === undefined) return;
        const { topic, stored, retain } = message;
        this.send({ _msgid: nextId(), topic, payload, stored, retain } as NodeMessage);
      },
      { express: def.express === true, qos: 1 },
    );
    const endConnection = showConnection(this, link, {
      connected: 'skull-signal.status.connected',
      connecting: 'skull-signal.status.connecting',
    });
    this.on('close', () => {
      endSubscription();
      endConnection();
    });
  }
  RED.nodes.registerType('skull-signal', create as never);
}
