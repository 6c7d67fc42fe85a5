import { EVENT_KINDS, type EventRecord } from '../model/event.ts';
import type { Labels, Metrics } from '../model/metrics.ts';
import { PRIORITY_NAMES } from '../model/priority.ts';
import { SERVICES, type ServiceName } from '../model/services.ts';
import { Tree } from '../statechart/tree.ts';
import { SERVICE_STATES, type ServiceReport } from '../supervision/report.ts';
import type { Character } from './character.ts';
import { SECTION_NAMES } from './config/sections.ts';
import { MODES, SIGNALS } from './topics.ts';

/** So many words that users may choose, be it in a definition or a flow, are labels of their own; all further ones are one. */
const MOST_STATES = 50;
const MOST_KINDS = 20;
const OTHER = '(other)';

const HEALTH = ['healthy', 'degraded', 'unhealthy'] as const;
/** The topics whose payloads are checked; whatever else was dropped is counted together. */
const TOPICS: ReadonlySet<string> = new Set([
  ...SIGNALS.keys(),
  ...SECTION_NAMES.map((name) => `skull/config/${name}`),
]);

/** Has counted what happens to a character, and shown how it is. Returns the function that ends it. */
export function meterCharacter(character: Character, metrics: Metrics): () => void {
  const ends = [
    character.events.onEvent(countEvents(metrics)),
    ...showBody(character, metrics),
    ...showServices(character, metrics),
    ...showMessages(character, metrics),
    ...showHealth(character, metrics),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** The first `most` words as they are. */
function atMost(most: number): (word: unknown) => string {
  const known = new Set<string>();
  return (given) => {
    const word = String(given);
    if (known.size < most) known.add(word);
    return known.has(word) ? word : OTHER;
  };
}

function countEvents(metrics: Metrics): (event: EventRecord) => void {
  const events = metrics.counter({ name: 'skull_events_total', help: 'What happened, by kind.', labels: ['kind'] });
  const transitions = metrics.counter({
    name: 'skull_transitions_total',
    help: 'Changes of the state.',
    labels: ['from', 'to'],
  });
  const activities = metrics.counter({
    name: 'skull_activities_total',
    help: 'Activities that have ended, by what they were and how they ended.',
    labels: ['kind', 'outcome'],
  });
  const changes = metrics.counter({
    name: 'skull_config_changes_total',
    help: 'Changes of the configuration, by section.',
    labels: ['section'],
  });
  // A count that begins at 0 shows its first growth too.
  for (const kind of EVENT_KINDS) events({ kind }, 0);
  for (const section of SECTION_NAMES) changes({ section }, 0);
  const stateName = atMost(MOST_STATES);
  const kindName = atMost(MOST_KINDS);
  return ({ kind, subject, data }) => {
    events({ kind });
    if (kind === 'transition') {
      const { from, to } = data;
      if (from !== to && from !== '') transitions({ from: stateName(from), to: stateName(to) });
    } else if (kind === 'activity') {
      if (data.phase === 'ended') activities({ kind: kindName(subject), outcome: String(data.outcome) });
    } else if (kind === 'config') changes({ section: subject });
  };
}

/** 1 for the present one of all values, 0 for the others. */
function only(values: readonly string[], present: string): [string, number][] {
  if (!values.includes(present)) return only([...values, OTHER], OTHER);
  return values.map((value) => [value, Number(value === present)]);
}

function statesOf({ body }: Character): [string, number][] {
  if (body === undefined) return [];
  const leaves = new Tree(body.definition).places.filter(({ children }) => children.length === 0);
  return only(
    leaves.slice(0, MOST_STATES).map(({ path }) => path),
    body.state,
  );
}

/** A gauge without labels. */
function plain(metrics: Metrics, name: string, help: string, read: () => number): () => void {
  return metrics.gauge({ name, help, labels: [], read: () => [[{}, read()]] });
}

function showBody(character: Character, metrics: Metrics): (() => void)[] {
  return [
    metrics.gauge({
      name: 'skull_state',
      help: 'Where the statechart stands: 1 for that state.',
      labels: ['state'],
      read: () => statesOf(character).map(([state, is]) => [{ state }, is]),
    }),
    metrics.gauge({
      name: 'skull_mode',
      help: 'What the operator wants: 1 for that mode.',
      labels: ['mode'],
      read: () => only(MODES, character.status().mode).map(([mode, is]) => [{ mode }, is]),
    }),
    plain(metrics, 'skull_estop', '1 while the emergency stop is on.', () => Number(character.status().estop)),
    metrics.gauge({
      name: 'skull_queue_waiting',
      help: 'Activities that wait for the body, by priority.',
      labels: ['priority'],
      read() {
        const waiting = character.lane?.waiting() ?? [];
        const count = (name: string) => waiting.filter(({ priority }) => priority === name).length;
        return PRIORITY_NAMES.map((priority) => [{ priority }, count(priority)]);
      },
    }),
    plain(metrics, 'skull_activities_running', 'Activities that hold the body.', () => {
      return character.lane?.running.length ?? 0;
    }),
    plain(
      metrics,
      'skull_activities_paused',
      'Activities that made room, and a song that somebody paused.',
      () => character.pausedCount,
    ),
  ];
}

function showServices(character: Character, metrics: Metrics): (() => void)[] {
  const each = <T>(of: (report: ServiceReport, service: ServiceName) => T): T[] => {
    const reports = character.life.report();
    return SERVICES.map((service) => of(reports[service], service));
  };
  return [
    metrics.gauge({
      name: 'skull_service_up',
      help: '1 while the service gives signs of life.',
      labels: ['service'],
      read: () => each(({ alive }, service) => [{ service }, Number(alive)]),
    }),
    metrics.gauge({
      name: 'skull_service_state',
      help: 'How the service is: 1 for that state.',
      labels: ['service', 'state'],
      read: () =>
        each((report, service) =>
          only(SERVICE_STATES, report.state).map(([state, is]) => [{ service, state }, is] as const),
        ).flat(),
    }),
    metrics.gauge({
      name: 'skull_service_restarts_total',
      help: 'Restarts because the service crashed or fell silent.',
      labels: ['service'],
      counts: true,
      read: () => each(({ restarts }, service) => [{ service }, restarts]),
    }),
  ];
}

function droppedPayloads({ intake }: Character): [Labels<'topic'>, number][] {
  const counts = new Map([...TOPICS].map((topic) => [topic, 0]));
  for (const [topic, count] of intake.dropped) {
    const name = TOPICS.has(topic) ? topic : OTHER;
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return [...counts].map(([topic, count]) => [{ topic }, count]);
}

function showMessages(character: Character, metrics: Metrics): (() => void)[] {
  const { link } = character;
  return [
    metrics.gauge({
      name: 'skull_mqtt_messages_total',
      help: 'Messages of the broker, by direction.',
      labels: ['direction'],
      counts: true,
      read: () => [
        [{ direction: 'in' }, link.traffic.in],
        [{ direction: 'out' }, link.traffic.out],
      ],
    }),
    metrics.gauge({
      name: 'skull_mqtt_messages_dropped_total',
      help: 'Messages that were not delivered.',
      labels: [],
      counts: true,
      read: () => [[{}, link.traffic.dropped]],
    }),
    metrics.gauge({
      name: 'skull_mqtt_payloads_dropped_total',
      help: 'Messages whose payload does not fit, by topic.',
      labels: ['topic'],
      counts: true,
      read: () => droppedPayloads(character),
    }),
  ];
}

function showHealth(character: Character, metrics: Metrics): (() => void)[] {
  return [
    metrics.gauge({
      name: 'skull_health',
      help: 'How the orchestrator is: 1 for that status.',
      labels: ['status'],
      read: () => only(HEALTH, character.health().status).map(([status, is]) => [{ status }, is]),
    }),
    metrics.gauge({
      name: 'skull_check_up',
      help: '1 while what it needs is well; what this installation does without is not shown.',
      labels: ['check'],
      read: () =>
        Object.entries(character.health().checks)
          .filter(([, is]) => is !== 'not_configured')
          .map(([check, is]) => [{ check }, Number(is === 'ok')]),
    }),
    plain(metrics, 'skull_uptime_seconds', 'Since the process began.', () => character.uptimeSeconds),
    metrics.gauge({
      name: 'skull_build_info',
      help: 'Always 1; its label says which version runs.',
      labels: ['version'],
      read: () => [[{ version: character.ports.version }, 1]],
    }),
  ];
}
