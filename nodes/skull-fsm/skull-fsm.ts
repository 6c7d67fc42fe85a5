import type { Node, NodeAPI } from 'node-red';
import { messageOf } from '../../core/model/errors.ts';
import type { Snapshot } from '../../core/statechart/definition.ts';
import { withoutIdleMetrics } from '../hot-path.ts';
import { characterOf, portsOf } from '../ports.ts';
import { Starts } from '../starts.ts';
import { serveEditor } from './admin.ts';
import { Fsm, type FsmMessage } from './fsm.ts';
import { definitionOf, type FsmDef } from './settings.ts';

type Done = (error?: Error) => void;

/** More than this many messages before the flows run are a mistake, not a start. */
const MAX_WAITING = 1000;

/** A statechart as a node: events in, state, commands and transition records out. */
export default function skullFsm(RED: NodeAPI): void {
  const starts = new Starts(RED);
  const running = new Map<string, Fsm>();
  /** Where machines stood whose nodes were closed but not removed: a deploy does not reset what it did not change. */
  const resting = new Map<string, { definition: string; snapshot: Snapshot }>();

  function build(node: Node, def: FsmDef): Fsm {
    const definition = definitionOf(def);
    const character = characterOf(RED, def.character);
    if (def.character && character === undefined) {
      throw new Error(`skull-fsm ${def.name || def.id}: its character is missing or disabled`);
    }
    const before = resting.get(node.id);
    const snapshot = before?.definition === JSON.stringify(definition) ? before.snapshot : undefined;
    return new Fsm({ RED, node, def, definition, ports: portsOf(RED), character, snapshot });
  }

  function create(this: Node, def: FsmDef): void {
    RED.nodes.createNode(this, def);
    withoutIdleMetrics(this);
    let fsm: Fsm | undefined;
    try {
      fsm = build(this, def);
      running.set(this.id, fsm);
    } catch (error) {
      this.error(messageOf(error));
      this.status({ fill: 'red', shape: 'ring', text: 'skull-fsm.status.invalid' });
    }

    const receive = (msg: FsmMessage, done: Done) => {
      try {
        if (fsm === undefined) throw new Error('The statechart does not run: its settings are invalid.');
        fsm.receive(msg);
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    };
    let waiting: [FsmMessage, Done][] | undefined = [];
    const callOff = starts.add(() => {
      try {
        fsm?.start();
      } catch (error) {
        fsm = undefined;
        this.error(messageOf(error));
        this.status({ fill: 'red', shape: 'ring', text: 'skull-fsm.status.taken' });
      }
      const early = waiting ?? [];
      waiting = undefined;
      for (const [msg, done] of early) receive(msg, done);
    });

    this.on('input', (msg: FsmMessage, _send, done) => {
      if (waiting === undefined) receive(msg, done);
      else if (waiting.length < MAX_WAITING) waiting.push([msg, done]);
      else done(new Error('Too many messages before the flows were started.'));
    });
    this.on('close', (removed: boolean, done: () => void) => {
      callOff();
      resting.delete(this.id);
      if (fsm === undefined) return done();
      running.delete(this.id);
      if (removed) RED.comms.publish(`skull-fsm/state/${this.id}`, {}, false);
      fsm
        .close()
        .catch((error: unknown) => this.error(messageOf(error)))
        .finally(done);
      const { definition } = fsm.chart;
      if (!removed) resting.set(this.id, { definition: JSON.stringify(definition), snapshot: fsm.chart.snapshot() });
    });
  }

  RED.nodes.registerType('skull-fsm', create as never);
  serveEditor(RED, running);
}
