import type { Node, NodeAPI, NodeDef, NodeMessage, NodeMessageInFlow } from 'node-red';
import { messageOf, SkullError } from '../../core/model/errors.ts';
import type { ServiceManager, UnitState } from '../../core/model/service-manager.ts';
import { SERVICES, type ServiceName } from '../../core/model/services.ts';
import { doneMessage, failedMessage, type Order, orderOf } from '../../core/supervision/messages.ts';
import { portsOf } from '../ports.ts';
import { Starts } from '../starts.ts';

interface SystemctlDef extends NodeDef {
  /** Empty: the message says it. */
  verb?: string;
  service?: string;
}

type Outputs = [NodeMessage | null, NodeMessage | null];

const SHOWN_AS = {
  unknown: ['grey', 'ring'],
  starting: ['yellow', 'ring'],
  running: ['green', 'dot'],
  stopping: ['yellow', 'ring'],
  stopped: ['grey', 'dot'],
  failed: ['red', 'dot'],
} as const satisfies Record<UnitState, readonly [string, string]>;

/** Starts, stops and restarts the skull's services, and tells what came of it. */
export default function skullSystemctl(RED: NodeAPI): void {
  const starts = new Starts(RED);
  const started = new Map<string, Node>();
  /** Results that came while their node was closed but not removed: the one that takes its place tells them. */
  const kept = new Map<string, Outputs[]>();

  function tell(id: string, outputs: Outputs): void {
    const node = started.get(id);
    if (node === undefined) kept.get(id)?.push(outputs);
    else node.send(outputs);
  }

  const text = (key: string, values: Record<string, string> = {}) => RED._(`skull-systemctl.status.${key}`, values);

  function show(node: Node, state: UnitState, service: ServiceName): void {
    const [fill, shape] = SHOWN_AS[state];
    node.status({ fill, shape, text: text(state, { service }) });
  }

  function create(this: Node, def: SystemctlDef): void {
    RED.nodes.createNode(this, def);
    const { services } = portsOf(RED);
    const fixed = SERVICES.find((service) => service === def.service);
    const endWatch = services && fixed && watch(this, services, fixed);
    if (services === undefined) this.status({ fill: 'grey', shape: 'ring', text: text('no-manager') });
    if (!kept.has(this.id)) kept.set(this.id, []);
    const callOff = starts.add(() => {
      started.set(this.id, this);
      for (const outputs of kept.get(this.id)?.splice(0) ?? []) this.send(outputs);
    });

    const carryOut = async (verb: Order, service: ServiceName): Promise<UnitState> => {
      if (services === undefined) {
        throw new SkullError('unavailable', `No service manager is there to ${verb} ${service}.`);
      }
      if (verb === 'status') return services.unit(service);
      if (fixed === undefined) this.status({ fill: 'yellow', shape: 'ring', text: text(verb, { service }) });
      return services.act(service, verb);
    };
    const obey = async (msg: NodeMessageInFlow): Promise<void> => {
      const { verb, service } = orderOf(msg, def);
      try {
        const state = await carryOut(verb, service);
        if (fixed === undefined) show(this, state, service);
        tell(this.id, [{ ...msg, ...doneMessage(verb, service, state) }, null]);
      } catch (error) {
        const reason = error instanceof SkullError ? error : new SkullError('internal', messageOf(error));
        if (fixed === undefined && services !== undefined) {
          this.status({ fill: 'red', shape: 'ring', text: text('refused', { service, code: reason.code }) });
        }
        tell(this.id, [null, { ...msg, ...failedMessage(verb, service, reason) }]);
        throw reason;
      }
    };
    this.on('input', (msg, _send, done) => void obey(msg).then(() => done(), done));

    this.on('close', (removed: boolean, closed: () => void) => {
      callOff();
      endWatch?.();
      started.delete(this.id);
      if (removed) kept.delete(this.id);
      closed();
    });
  }

  /** Shows where the unit stands, as it changes. Returns the function that ends it. */
  function watch(node: Node, services: ServiceManager, service: ServiceName): () => void {
    const ends = [
      services.onUnit((change) => {
        if (change.service === service) show(node, change.state, service);
      }),
      services.onConnection((connected) => {
        if (connected) show(node, services.unit(service), service);
        else node.status({ fill: 'red', shape: 'ring', text: text('disconnected') });
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  RED.nodes.registerType('skull-systemctl', create as never);
}
