import { Type } from '../core/model/type.ts';
import { type Part, type Role, type Stage, when } from './role.ts';

const Limits = Type.Object({ min: Type.Number(), max: Type.Number(), center: Type.Number() });
const Move = Type.Object({ angle: Type.Number(), duration_ms: Type.Optional(Type.Number({ minimum: 0 })) });
const Track = Type.Object({ active: Type.Boolean(), x: Type.Optional(Type.Number()), y: Type.Optional(Type.Number()) });
const Jaw = Type.Object({ open: Type.Number({ minimum: 0, maximum: 1 }) });
const Switch = Type.Object({ active: Type.Boolean() });

interface Servo {
  min: number;
  max: number;
  center: number;
  /** The last movement: degrees and milliseconds since the epoch. */
  from: number;
  to: number;
  start: number;
  end: number;
}

const JAW = 'jaw';
/** Degrees; what a skull has before anybody sends limits. */
const SERVOS: Record<string, { min: number; max: number; center: number }> = {
  jaw: { min: 0, max: 40, center: 0 },
  pan: { min: -60, max: 60, center: 0 },
  tilt: { min: -20, max: 20, center: 0 },
};

/** Turns the servos at an even speed. Under e-stop they hold, and only go to the centre or close the jaw. */
class Motion implements Role {
  readonly #stage: Stage;
  readonly #servos = new Map<string, Servo>();
  #estop = false;

  constructor(stage: Stage) {
    this.#stage = stage;
    for (const [name, { min, max, center }] of Object.entries(SERVOS)) {
      this.#servos.set(name, { min, max, center, from: center, to: center, start: 0, end: 0 });
    }
  }

  hear(topic: string, payload: unknown): void {
    const [, what = '', name = '', verb] = topic.split('/');
    if (what === 'estop') this.#setEstop(payload);
    else if (what === 'center') this.#center();
    else if (what === 'jaw') when(Jaw, payload, ({ open }) => this.#jaw(open));
    else if (what === 'track') when(Track, payload, ({ active, x, y }) => this.#track(active, x, y));
    else if (verb === 'limits') when(Limits, payload, (limits) => this.#limit(name, limits));
    else if (verb === 'move') when(Move, payload, ({ angle, duration_ms }) => this.#move(name, angle, duration_ms));
  }

  report(): Record<string, unknown> {
    const positions = [...this.#servos].map(([name, servo]) => [name, this.#positionOf(servo)]);
    return { servos: Object.fromEntries(positions), estop: this.#estop };
  }

  #setEstop(payload: unknown): void {
    if (payload === 'on' || payload === 'off') this.#estop = payload === 'on';
    else
      when(Switch, payload, ({ active }) => {
        this.#estop = active;
      });
    if (this.#estop) for (const servo of this.#servos.values()) this.#turn(servo, this.#positionOf(servo), 0);
  }

  #center(): void {
    for (const servo of this.#servos.values()) this.#turn(servo, servo.center, 0);
  }

  #jaw(open: number): void {
    const servo = this.#servos.get(JAW);
    if (servo === undefined || (this.#estop && open > 0)) return;
    this.#turn(servo, servo.min + open * (servo.max - servo.min), 0);
  }

  /** x and y from −1 to 1 are the whole way of pan and tilt. */
  #track(active: boolean, x = 0, y = 0): void {
    if (!active) return;
    this.#lean('pan', x);
    this.#lean('tilt', y);
  }

  #lean(name: string, share: number): void {
    const servo = this.#servos.get(name);
    if (servo === undefined) return;
    const reach = share < 0 ? servo.center - servo.min : servo.max - servo.center;
    this.#move(name, servo.center + share * reach);
  }

  #move(name: string, angle: number, durationMs = 0): void {
    const servo = this.#servos.get(name);
    if (servo !== undefined && !this.#estop) this.#turn(servo, angle, durationMs);
  }

  #limit(name: string, limits: { min: number; max: number; center: number }): void {
    const { min, max, center } = limits;
    const servo = this.#servos.get(name) ?? { min, max, center, from: center, to: center, start: 0, end: 0 };
    this.#servos.set(name, servo);
    Object.assign(servo, { min, max, center });
    this.#turn(servo, this.#positionOf(servo), 0);
  }

  #turn(servo: Servo, angle: number, durationMs: number): void {
    const now = this.#stage.now();
    servo.from = this.#positionOf(servo);
    servo.to = Math.min(servo.max, Math.max(servo.min, angle));
    servo.start = now;
    servo.end = now + durationMs;
  }

  #positionOf({ from, to, start, end }: Servo): number {
    const now = this.#stage.now();
    return now >= end ? to : from + ((to - from) * (now - start)) / (end - start);
  }
}

export function motion(): Part {
  return {
    filters: [
      'motion/estop',
      'motion/center',
      'motion/track',
      'motion/jaw',
      'motion/servo/+/move',
      'motion/servo/+/limits',
    ],
    enact: (stage) => new Motion(stage),
  };
}
