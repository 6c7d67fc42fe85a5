import type { NodeMessage, NodeMessageInFlow } from 'node-red';
import { messageOf } from '../../core/model/errors.ts';
import type { Clock, Random } from '../../core/model/ports.ts';
import type { Activity, Performer } from '../../core/scheduler/activity.ts';
import { Lane } from '../../core/scheduler/lane.ts';
import { ended, obey, told } from '../../core/scheduler/messages.ts';
import { nextId } from '../hot-path.ts';

/** Who stops everything waits for all of these to be cancelled. */
const MAX_WAITING = 500;

export const OUTPUTS = ['start', 'pause', 'resume', 'cancel', 'done'] as const;
type Output = (typeof OUTPUTS)[number];

/** Where a lane's words go while there is a node for them. */
export interface Outlet {
  send(output: Output, message: NodeMessage): void;
  /** Something may look different now. */
  changed(): void;
  failed(message: string): void;
}

export interface ArbiterOptions {
  clock: Clock;
  random: Pick<Random, 'id'>;
  capacity: number;
  /** Whoever gets a message may change it: what the lane keeps must not change with it. */
  copy: (args: unknown) => unknown;
  /** Another one whose place it takes: all that it had is cancelled, its lock and its hold stay. */
  before: Arbiter | undefined;
}

/** A lane that outlives the nodes through which it hears and speaks; what it says in between is kept for the next one. */
export class Arbiter {
  readonly lane: Lane;
  readonly #kept: [Output, NodeMessage][];
  #outlet: Outlet | undefined;
  /** The message that is being worked on, so that what comes of it can be traced to it. */
  #cause: string | undefined;

  constructor({ clock, random, capacity, copy, before }: ArbiterOptions) {
    const tell = (output: Output) => (activity: Activity) => {
      const payload = told(activity);
      this.#say(output, typeof payload.args === 'object' ? { ...payload, args: copy(payload.args) } : payload);
    };
    const performer: Performer = {
      start: tell('start'),
      pause: tell('pause'),
      resume: tell('resume'),
      cancel: tell('cancel'),
    };
    this.lane = new Lane({
      clock,
      random,
      capacity,
      maxWaiting: MAX_WAITING,
      performer,
      onError: (error, { kind, id }) => this.#outlet?.failed(`${kind} ${id}: ${messageOf(error)}`),
    });
    this.lane.onEvent(({ type, activity }) => {
      if (type === 'ended') this.#say('done', ended(activity, clock.now()));
      this.#outlet?.changed();
    });
    if (before?.lane.locked) this.lane.lock();
    if (before?.lane.held) this.lane.hold();
    this.#kept = before?.retire() ?? [];
  }

  /** From now on it speaks through this outlet; first it says what it has kept. */
  open(outlet: Outlet): void {
    // What comes of a message that is said here is kept, too, and said in its turn.
    for (const [output, message] of this.#kept) outlet.send(output, message);
    this.#kept.length = 0;
    this.#outlet = outlet;
    outlet.changed();
  }

  /** Keeps what it has to say until it is opened again. */
  close(): void {
    this.#outlet = undefined;
  }

  /** Cancels all it has, for good. Returns what it would have said. */
  retire(): [Output, NodeMessage][] {
    this.close();
    this.lane.lock();
    return this.#kept;
  }

  /** Throws what is wrong with the message. A promise where that takes its time. */
  receive(msg: NodeMessageInFlow): void | Promise<void> {
    const outer = this.#cause;
    this.#cause = msg._msgid;
    try {
      return obey(this.lane, msg);
    } finally {
      this.#cause = outer;
      this.#outlet?.changed();
    }
  }

  #say(output: Output, payload: object): void {
    const message = { _msgid: this.#cause ?? nextId(), topic: `activity/${output}`, payload } as NodeMessage;
    if (this.#outlet === undefined) this.#kept.push([output, message]);
    else this.#outlet.send(output, message);
  }
}
