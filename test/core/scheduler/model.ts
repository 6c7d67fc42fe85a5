import { PRIORITIES, type Priority } from '../../../core/model/priority.ts';
import type { Outcome, Phase, Policy } from '../../../core/scheduler/activity.ts';

/** How a performer answers a call: at once, by a promise, or by throwing. */
export type Manner = 'at once' | 'later' | 'throws';
export type Call = 'start' | 'pause' | 'resume' | 'cancel';

export interface ModelClaim {
  id: string;
  kind: string;
  priority: Priority;
  interruptible: boolean;
  policy: Policy;
  key: string | undefined;
  ttlMs: number | undefined;
  manners: Record<Call, Manner>;
}

interface Item extends ModelClaim {
  phase: Phase;
  /** When it came to where it stands, in turns of a counter. */
  since: number;
  deadline: number;
}

const urgencyOf = (item: Item): number => PRIORITIES[item.priority];
const HOLDING: readonly Phase[] = ['running', 'pausing', 'cancelling'];

/** What a lane should do, by sorting and filtering one list of all that lives. */
export class Model {
  items: Item[] = [];
  held = false;
  locked = false;
  draining = false;
  now = 0;
  completed = 0;
  calls: string[] = [];
  events: string[] = [];
  readonly #capacity: number;
  readonly #graceMs: number;
  #counter = 0;

  constructor(capacity: number, graceMs: number) {
    this.#capacity = capacity;
    this.#graceMs = graceMs;
  }

  get holders(): Item[] {
    return this.items.filter(({ phase }) => HOLDING.includes(phase));
  }

  get waiting(): Item[] {
    return this.items
      .filter(({ phase }) => phase === 'waiting')
      .sort((a, b) => urgencyOf(a) - urgencyOf(b) || a.since - b.since);
  }

  get paused(): Item[] {
    return this.items
      .filter(({ phase }) => phase === 'paused')
      .sort((a, b) => urgencyOf(a) - urgencyOf(b) || b.since - a.since);
  }

  /** The id of the activity that the claim became or is one with; else why it is refused. */
  claim(claim: ModelClaim): { id: string } | { refused: string } {
    if (this.locked || this.draining) return { refused: 'conflict' };
    if (this.items.some(({ id }) => id === claim.id)) return { refused: 'invalid' };
    const twin = claim.key === undefined ? undefined : this.waiting.find(({ key }) => key === claim.key);
    if (twin !== undefined) {
      if (PRIORITIES[claim.priority] < urgencyOf(twin)) this.setPriority(twin.id, claim.priority);
      return { id: twin.id };
    }
    if (claim.policy === 'reject' && (this.held || this.items.length >= this.#capacity)) return { refused: 'busy' };
    const deadline = claim.ttlMs === undefined ? Number.POSITIVE_INFINITY : this.now + claim.ttlMs;
    const item: Item = { ...claim, phase: 'waiting', since: ++this.#counter, deadline };
    this.items.push(item);
    this.events.push(`waiting ${item.id}`);
    this.turn();
    return { id: item.id };
  }

  end(id: string, outcome: Outcome): boolean {
    const done = this.#settle(this.#find(id), outcome);
    this.turn();
    return done;
  }

  cancel(which: (item: Item) => boolean): number {
    const order = [...this.holders, ...this.paused, ...this.waiting];
    const count = order.filter((item) => which(item) && this.#cancel(item)).length;
    this.turn();
    return count;
  }

  setPriority(id: string, priority: Priority): boolean {
    const item = this.#find(id);
    if (item === undefined) return false;
    if (item.priority !== priority) item.since = ++this.#counter;
    item.priority = priority;
    this.turn();
    return true;
  }

  lock(): void {
    this.locked = true;
    for (const item of [...this.holders, ...this.paused, ...this.waiting]) {
      this.#cancel(item);
      this.#finish(item, 'cancelled');
    }
  }

  /** What was promised to that call has come, well or badly. */
  answer(call: Call, id: string, well: boolean): void {
    const item = this.#find(id);
    if (item === undefined) return;
    if (call === 'cancel' && item.phase === 'cancelling') this.#finish(item, 'cancelled');
    if (call === 'start') this.#settle(item, well ? 'completed' : 'failed');
    if (call === 'pause' && item.phase === 'pausing') {
      if (well) this.#giveWay(item);
      else this.#finish(item, 'failed');
    }
    this.turn();
  }

  turn(): void {
    do this.#expire();
    while (this.#step());
  }

  #step(): boolean {
    if (this.held || this.locked) return false;
    const candidates = [...this.paused, ...this.waiting].sort((a, b) => urgencyOf(a) - urgencyOf(b));
    if (this.holders.length < this.#capacity) {
      const [next] = candidates;
      if (next !== undefined) this.#enter(next);
      return next !== undefined;
    }
    const [victim] = this.items
      .filter(({ phase, interruptible }) => phase === 'running' && interruptible)
      .sort((a, b) => urgencyOf(b) - urgencyOf(a) || b.since - a.since);
    const pausing = this.items.filter(({ phase }) => phase === 'pausing').length;
    if (victim === undefined || this.#contenders(victim).length <= pausing) return false;
    victim.phase = 'pausing';
    if (this.#call('pause', victim)) this.#finish(victim, 'failed');
    else if (victim.manners.pause === 'later') victim.deadline = this.now + this.#graceMs;
    else this.#giveWay(victim);
    return true;
  }

  #contenders(victim: Item): Item[] {
    return [...this.paused, ...this.waiting.filter(({ policy }) => policy === 'interrupt')]
      .filter((item) => urgencyOf(item) < urgencyOf(victim))
      .sort((a, b) => urgencyOf(a) - urgencyOf(b));
  }

  #enter(item: Item, victim?: Item): void {
    const call = item.phase === 'paused' ? 'resume' : 'start';
    this.#move(item, 'running');
    this.events.push(`${call === 'start' ? 'started' : 'resumed'} ${item.id}`);
    if (this.#call(call, item, victim && ` for ${victim.id}`)) this.#finish(item, 'failed');
  }

  #giveWay(item: Item): void {
    this.#move(item, 'paused');
    this.events.push(`paused ${item.id}`);
    const [contender] = this.#contenders(item);
    if (contender !== undefined && !this.held && !this.locked) this.#enter(contender, item);
  }

  #cancel(item: Item): boolean {
    const { phase } = item;
    if (phase === 'cancelling' || phase === 'ended') return false;
    if (phase !== 'waiting') {
      this.#move(item, 'cancelling');
      this.#call('cancel', item);
      if (phase !== 'paused' && item.manners.cancel === 'later') {
        item.deadline = this.now + this.#graceMs;
        return true;
      }
    }
    this.#finish(item, 'cancelled');
    return true;
  }

  #expire(): void {
    for (const item of this.items.filter(({ deadline }) => deadline <= this.now)) {
      if (item.phase === 'pausing') this.#cancel(item);
      else this.#finish(item, item.phase === 'waiting' ? 'expired' : 'cancelled');
    }
  }

  #settle(item: Item | undefined, outcome: Outcome): boolean {
    if (item === undefined || item.phase === 'waiting' || item.phase === 'cancelling') return false;
    this.#finish(item, outcome);
    return true;
  }

  #finish(item: Item, outcome: Outcome): void {
    if (item.phase === 'ended') return;
    item.phase = 'ended';
    this.items = this.items.filter((other) => other !== item);
    if (outcome === 'completed') this.completed++;
    this.events.push(`ended ${item.id} ${outcome}`);
  }

  #move(item: Item, phase: Phase): void {
    item.phase = phase;
    item.since = ++this.#counter;
    item.deadline = Number.POSITIVE_INFINITY;
  }

  /** True where it throws. */
  #call(call: Call, item: Item, more = ''): boolean {
    this.calls.push(`${call} ${item.id}${more}`);
    return item.manners[call] === 'throws';
  }

  #find(wanted: string): Item | undefined {
    return this.items.find(({ id }) => id === wanted);
  }
}
