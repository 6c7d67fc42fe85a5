import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { SkullError } from '../../core/model/errors.ts';
import { showConnection } from '../connection-status.ts';
import { withoutIdleMetrics } from '../hot-path.ts';
import { characterOf } from '../ports.ts';

interface CommandDef extends NodeDef {
  character: string;
  topic?: string;
  retain?: boolean;
}

interface CommandMessage extends NodeMessageInFlow {
  retain?: unknown;
  qos?: unknown;
}

/** MQTT out: a message's topic and payload, published by the character. */
export default function skullCommand(RED: NodeAPI): void {
  function create(this: Node, def: CommandDef): void {
    RED.nodes.createNode(this, def);
    withoutIdleMetrics(this);
    const character = characterOf(RED, def.character);
    if (character === undefined) {
      this.status({ fill: 'red', shape: 'ring', text: 'skull-command.status.no-character' });
      return;
    }
    const { link } = character;
    this.on('input', (msg: CommandMessage, _send, done) => {
      const topic = msg.topic || def.topic;
      if (!topic || /[+#\0]/.test(topic)) {
        done(new SkullError('invalid', `Not a topic to publish on: ${JSON.stringify(topic ?? '')}.`));
        return;
      }
      link.publish(topic, textOf(msg.payload), {
        qos: msg.qos === 1 ? 1 : 0,
        retain: typeof msg.retain === 'boolean' ? msg.retain : def.retain === true,
      });
      done();
    });
    const endConnection = showConnection(this, link, {
      connected: 'skull-command.status.connected',
      connecting: 'skull-command.status.connecting',
    });
    this.on('close', endConnection);
  }
  RED.nodes.registerType('skull-command', create as never);
}

function textOf(payload: unknown): string {
  if (typeof payload === 'string') return payload;
  return payload === undefined ? '' : JSON.stringify(payload);
}
