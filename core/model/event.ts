/** Facts that are logged and never changed. */
export const EVENT_KINDS = ['transition', 'activity', 'service', 'config', 'rest', 'run'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface EventRecord {
  /** Grows by one with each event, also over restarts. */
  seq: number;
  /** ISO 8601, UTC. */
  time: string;
  kind: EventKind;
  /** The section, service, activity kind, statechart or run that it is about. */
  subject: string;
  /** What made it happen: an event's name, `delay`, `rest`, `mqtt`, `file`, `boot`. */
  cause: string;
  data: Record<string, unknown>;
}

export type NewEvent = Omit<EventRecord, 'seq' | 'time'>;
