import type { Node, NodeAPI, NodeMessage, NodeMessageInFlow } from 'node-red';
import { type Issue, SkullError } from '../../core/model/errors.ts';
import type { PackPorts } from '../../core/model/ports.ts';
import type { Character } from '../../core/skull/character.ts';
import type { Snapshot, StatechartDefinition } from '../../core/statechart/definition.ts';
import { type Command, Statechart, type TransitionRecord } from '../../core/statechart/statechart.ts';
import { Tree } from '../../core/statechart/tree.ts';
import { Memory } from './memory.ts';
import { Paced } from './paced.ts';
import { configOf, type FsmDef } from './settings.ts';

export interface FsmMessage extends NodeMessageInFlow {
  control?: unknown;
}

interface Wired {
  wires?: readonly (readonly string[])[];
}

export interface FsmOptions {
  RED: NodeAPI;
  node: Node;
  def: FsmDef;
  definition: StatechartDefinition;
  ports: PackPorts;
  character: Character | undefined;
  /** Where an earlier node with this id and this definition stood. */
  snapshot: Snapshot | undefined;
}

/** At most five times a second is enough for eyes, and costs a burst of events nothing. */
const SHOWN_EVERY_MS = 200;
/** State, commands, transitions. */
const OWN_OUTPUTS = 3;
/** An expression that keeps failing is told of once in this time. */
const TOLD_EVERY_MS = 60_000;

/** A statechart between a Node-RED node's input and its three outputs. */
export class Fsm {
  readonly chart: Statechart;
  readonly #RED: NodeAPI;
  readonly #node: Node & Wired;
  readonly #ports: PackPorts;
  readonly #character: Character | undefined;
  readonly #stateTopic: string;
  readonly #memory: Memory;
  readonly #shown: Paced<string>;
  readonly #told = new Map<string, number>();
  readonly #atRest: string | undefined;
  /** Which output leads to each of those whom the definition names; the first three are the node's own. */
  readonly #outputs: ReadonlyMap<string, number>;
  #release: () => void = () => undefined;
  /** The message that is being worked on, so that what comes of it can be traced to it. */
  #cause: string | undefined;

  constructor({ RED, node, def, definition, ports, character, snapshot }: FsmOptions) {
    this.#RED = RED;
    this.#node = node;
    this.#ports = ports;
    this.#character = character;
    this.#stateTopic = def.stateTopic || 'state';
    this.#memory = new Memory(definition, node.id, {
      clock: ports.clock,
      folder: () => ports.documents('data'),
      failed: (message) => node.error(message),
    });
    const options = {
      clock: ports.clock,
      random: ports.random,
      config: configOf(def, character),
      restored: this.#memory.load(),
      onError: (issue: Issue) => this.#tell(issue),
    };
    this.#outputs = new Map(definition.outputs?.map((name, index) => [name, OWN_OUTPUTS + index]));
    this.#atRest = new Tree(definition).leafOf(undefined)?.path;
    this.chart = new Statechart(definition, snapshot ? { ...options, snapshot } : options);
    this.chart.onTransition((record) => this.#send(record));
    this.#shown = new Paced(ports.clock, SHOWN_EVERY_MS, (state) => this.#show(state));
  }

  start(): void {
    this.#release = this.#character?.embody(this.chart, () => this.#memory.problems()) ?? this.#release;
    this.chart.start();
  }

  /** An event, or with `control` a question or an order to the machine itself. Throws what is wrong with the message. */
  receive(msg: FsmMessage): void {
    // What it sends may come back to it, from the lane, before it has sent all.
    const outer = this.#cause;
    this.#cause = msg._msgid;
    try {
      if (msg.control !== undefined) this.#obey(msg);
      else if (typeof msg.topic === 'string' && msg.topic !== '') {
        this.chart.send({ type: msg.topic, payload: msg.payload });
      } else throw new SkullError('invalid', 'msg.topic must be the name of an event.');
    } finally {
      this.#cause = outer;
    }
  }

  #obey({ control, payload }: FsmMessage): void {
    if (control === 'query') this.#sendState();
    else if (control === 'reset') this.chart.reset();
    else if (control === 'snapshot') this.#out(2, { topic: 'snapshot', payload: this.chart.snapshot() });
    else if (control === 'restore') this.chart.restore(payload);
    else {
      const given = JSON.stringify(control);
      throw new SkullError('invalid', `msg.control must be query, reset, snapshot or restore, not ${given}.`);
    }
  }

  /** Ends everything, and resolves once what is to be kept is on disk. The chart can still tell where it stood. */
  close(): Promise<void> {
    this.chart.stop();
    this.#release();
    this.#shown.close();
    return this.#memory.close();
  }

  #send(record: TransitionRecord): void {
    const { changed, commands, event, to } = record;
    // Built first: whoever receives a command owns its payload, and may change it.
    const copy =
      (this.#node.wires?.[2]?.length ?? 0) > 0
        ? this.#RED.util.cloneMessage({ topic: 'transition', payload: record })
        : undefined;
    if (changed || event === 'start') this.#sendState();
    for (const command of commands) this.#sendCommand(command);
    if (copy) this.#out(2, copy);
    this.#memory.save(this.chart.context);
    if (changed || event === 'start') this.#shown.show(to);
  }

  #sendState(): void {
    this.#out(0, { topic: this.#stateTopic, payload: this.chart.state, retain: true });
  }

  #sendCommand({ topic, payload, to, retain, qos }: Command): void {
    const message: NodeMessage & Partial<Command> = { topic, payload };
    if (retain !== undefined) message.retain = retain;
    if (qos !== undefined) message.qos = qos;
    this.#out(to === undefined ? 1 : (this.#outputs.get(to) ?? 1), message);
  }

  /** One message a call: Node-RED clones all but the first of several, and these are nobody else's. */
  #out(output: number, message: NodeMessage & Partial<Command>): void {
    if (this.#cause !== undefined) message._msgid = this.#cause;
    if (output === 0) this.#node.send(message);
    else {
      const messages: (NodeMessage | null)[] = new Array(output).fill(null);
      messages.push(message);
      this.#node.send(messages);
    }
  }

  #show(state: string): void {
    this.#node.status({ fill: 'green', shape: state === this.#atRest ? 'ring' : 'dot', text: state });
    this.#RED.comms.publish(`skull-fsm/state/${this.#node.id}`, { state }, true);
  }

  #tell({ path, message }: Issue): void {
    const now = this.#ports.clock.now();
    if (now - (this.#told.get(path) ?? Number.NEGATIVE_INFINITY) < TOLD_EVERY_MS) return;
    this.#told.set(path, now);
    this.#node.warn(`${path || '/'}: ${message}`);
  }
}
