import type { Node, NodeAPI, NodeDef, NodeMessage, NodeMessageInFlow } from 'node-red';
import { messageOf } from '../../core/model/errors.ts';
import type { Lane } from '../../core/scheduler/lane.ts';
import { withoutIdleMetrics } from '../hot-path.ts';
import { characterOf, portsOf } from '../ports.ts';
import { Starts } from '../starts.ts';
import { Arbiter, OUTPUTS } from './arbiter.ts';

interface PriorityDef extends NodeDef {
  character?: string;
  capacity?: number | string;
}

/** At most five times a second is enough for eyes, and costs a burst of claims nothing. */
const SHOWN_EVERY_MS = 200;

/** Who may act now: claims in, orders to start, pause, resume and cancel out. */
export default function skullPriority(RED: NodeAPI): void {
  const starts = new Starts(RED);
  /** Those whose nodes were closed but not removed: a deploy cancels nothing. */
  const resting = new Map<string, Arbiter>();
  const copy = (args: unknown): unknown => RED.util.cloneMessage({ args } as NodeMessage & { args: unknown }).args;

  function arbiterOf({ id, capacity: given = 1 }: PriorityDef): Arbiter {
    const before = resting.get(id);
    const capacity = Number(given);
    if (before?.lane.capacity === capacity) return before;
    return new Arbiter({ ...portsOf(RED), capacity, copy, before });
  }

  function create(this: Node, def: PriorityDef): void {
    RED.nodes.createNode(this, def);
    withoutIdleMetrics(this);
    const character = characterOf(RED, def.character);
    let arbiter: Arbiter;
    let takeBack: (() => void) | undefined;
    try {
      if (def.character && character === undefined) throw new Error('its character is missing or disabled');
      arbiter = arbiterOf(def);
      takeBack = character?.arbitrate(arbiter.lane);
    } catch (error) {
      this.error(`skull-priority ${def.name || def.id}: ${messageOf(error)}`);
      this.status({ fill: 'red', shape: 'ring', text: 'skull-priority.status.invalid' });
      return;
    }
    resting.delete(this.id);

    const { lane } = arbiter;
    const { clock } = portsOf(RED);
    let showing: unknown;
    const show = () => {
      showing = undefined;
      this.status(statusOf(RED, lane));
    };
    const callOff = starts.add(() =>
      arbiter.open({
        // One message a call: Node-RED clones all but the first of several, and these are nobody else's.
        send: (output, message) => this.send(OUTPUTS.map((name) => (name === output ? message : null))),
        // A little later, for the lane may be in the middle of something.
        changed: () => {
          showing ??= clock.setTimeout(show, SHOWN_EVERY_MS);
        },
        failed: (message) => this.error(message),
      }),
    );

    this.on('input', (msg: NodeMessageInFlow, _send, done) => {
      try {
        const ending = arbiter.receive(msg);
        if (ending === undefined) done();
        else ending.then(() => done(), done);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    });
    this.on('close', (removed: boolean, closed: () => void) => {
      callOff();
      if (removed) arbiter.retire();
      else {
        arbiter.close();
        resting.set(this.id, arbiter);
      }
      takeBack?.();
      clock.clearTimeout(showing);
      closed();
    });
  }
  RED.nodes.registerType('skull-priority', create as never);
}

/** What runs, and how many wait and are paused. */
function statusOf(RED: NodeAPI, { running, waitingCount, pausedCount, locked, held, draining }: Lane) {
  const text = (key: string, n = 0): string => RED._(`skull-priority.status.${key}`, { n });
  const parts = running.map(({ name }) => name);
  if (locked) parts.push(text('locked'));
  if (held) parts.push(text('held'));
  if (draining) parts.push(text('draining'));
  if (parts.length === 0) parts.push(text('free'));
  if (waitingCount > 0) parts.push(text('waiting', waitingCount));
  if (pausedCount > 0) parts.push(text('paused', pausedCount));
  return {
    fill: locked ? 'red' : held || draining ? 'yellow' : 'green',
    shape: running.length > 0 ? 'dot' : 'ring',
    text: parts.join(' · '),
  } as const;
}
