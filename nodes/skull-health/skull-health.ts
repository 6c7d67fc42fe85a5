import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { SkullError } from '../../core/model/errors.ts';
import { SERVICES } from '../../core/model/services.ts';
import type { Character } from '../../core/skull/character.ts';
import { Figures } from '../../core/supervision/figures.ts';
import { HEALTH_TOPIC, HealthReporter, statesOf } from '../../core/supervision/health.ts';
import { outcomeOf } from '../../core/supervision/messages.ts';
import type { Supervisor } from '../../core/supervision/supervisor.ts';
import { characterOf } from '../ports.ts';
import { Starts } from '../starts.ts';
import { Watch } from './watch.ts';

interface HealthDef extends NodeDef {
  character: string;
  /** Seconds between two reports. */
  interval: number | string;
}

/** Sees to the skull's services, and tells how they and the orchestrator are. */
export default function skullHealth(RED: NodeAPI): void {
  const starts = new Starts(RED);
  /** Those whose nodes were closed but not removed, and whose services they see to: a deploy forgets nothing. */
  const resting = new Map<string, { watch: Watch; characterId: string }>();

  function watchOf({ id, character: characterId }: HealthDef, character: Character): Watch {
    const before = resting.get(id);
    resting.delete(id);
    if (before?.characterId === characterId) return before.watch;
    before?.watch.retire();
    return new Watch(character);
  }

  function create(this: Node, def: HealthDef): void {
    RED.nodes.createNode(this, def);
    const character = characterOf(RED, def.character);
    const everyMs = Number(def.interval) * 1000;
    if (character === undefined || !(everyMs >= 1000)) {
      const key = character === undefined ? 'no-character' : 'invalid';
      this.status({ fill: 'red', shape: 'ring', text: `skull-health.status.${key}` });
      return;
    }
    const watch = watchOf(def, character);
    const { supervisor } = watch;
    let endReports: (() => void) | undefined;
    const callOff = starts.add(() => {
      if (character.supervisor !== undefined) {
        this.status({ fill: 'red', shape: 'ring', text: 'skull-health.status.taken' });
        this.error(`${def.name || def.id}: another skull-health node serves this character already.`);
        return;
      }
      endReports = report(this, character, supervisor, everyMs);
      watch.open(character, (message) => this.send([message, null]));
    });

    this.on('input', (msg, _send, done) => {
      try {
        const { service, verb, error } = outcomeOf(msg);
        supervisor.done(service, verb, error);
        done();
      } catch (error) {
        done(error instanceof Error ? error : new SkullError('internal', String(error)));
      }
    });
    this.on('close', (removed: boolean, closed: () => void) => {
      callOff();
      endReports?.();
      if (removed) watch.retire();
      else {
        watch.close();
        resting.set(this.id, { watch, characterId: def.character });
      }
      closed();
    });
  }

  /** Shows and tells how all are, from now on. Returns the function that ends it. */
  function report(node: Node, character: Character, supervisor: Supervisor, everyMs: number): () => void {
    const { clock, link, intake, ports } = character;
    const meter = ports.meter();
    const figures = new Figures(meter, () => ({
      in: link.traffic.in,
      out: link.traffic.out,
      dropped: [...intake.dropped.values()].reduce((sum, count) => sum + count, link.traffic.dropped),
    }));
    const reporter = new HealthReporter({
      clock,
      everyMs,
      state: () => ({
        status: character.health().status,
        services: statesOf(supervisor.report()),
        uptime_seconds: character.uptimeSeconds,
      }),
      figures,
      tell: (payload) => node.send([null, { topic: HEALTH_TOPIC, payload, retain: true } as NodeMessage]),
    });
    const show = () => node.status(statusOf(supervisor));
    const changed = () => reporter.changed();
    const ends = [supervisor.onChange(show), character.events.onEvent(changed), link.onConnection(changed)];
    show();
    return () => {
      for (const end of ends) end();
      reporter.close();
      meter.close();
    };
  }

  /** How many services are well, and what the others are. */
  function statusOf(supervisor: Supervisor) {
    const text = (key: string, values: Record<string, string> = {}) => RED._(`skull-health.status.${key}`, values);
    const states = statesOf(supervisor.report());
    const known = SERVICES.filter((service) => states[service] !== 'unknown');
    if (known.length === 0) return { fill: 'grey', shape: 'ring', text: text('unheard') } as const;
    const others = known.filter((service) => states[service] !== 'alive');
    const isTrouble = others.some((service) => states[service] !== 'stopped');
    const hasFailed = others.some((service) => states[service] === 'failed');
    return {
      fill: hasFailed ? 'red' : isTrouble ? 'yellow' : 'green',
      shape: 'dot',
      text: [
        text('well', { n: String(known.length - others.length) }),
        ...others.map((service) => text(states[service], { service })),
      ].join(' · '),
    } as const;
  }

  RED.nodes.registerType('skull-health', create as never);
}
