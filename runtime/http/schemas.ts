import { asked } from '../../core/model/asked.ts';
import { PriorityName } from '../../core/model/priority.ts';
import { type TSchema, Type } from '../../core/model/type.ts';
import { Event } from '../../core/skull/channels/event.ts';
import { patchSchema } from '../../core/skull/config/patch.ts';
import { SECTION_NAMES, SECTIONS, ServoLimits, Supervised } from '../../core/skull/config/sections.ts';
import { FullAutoStatus, StartedCycle } from '../../core/skull/fullauto/status.ts';
import { ClaimedActivity } from '../../core/skull/operations/claims.ts';
import { SongItem } from '../../core/skull/operations/library.ts';
import { Activity, Check, Health, Mode, ServiceReport, Status } from '../../core/skull/operations/service.ts';
import { Service } from '../../core/skull/operations/services.ts';
import { Servo } from '../../core/skull/operations/servos.ts';
import { Task } from '../../core/skull/operations/tasks.ts';
import { PriorityStatus } from '../../core/skull/priorities.ts';
import { NewTask } from '../../core/skull/tasks.ts';
import { HealthNews } from '../../core/supervision/health.ts';

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A URN that names the error and stays.' }),
    title: Type.String({ description: 'What the error is, in general.' }),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'The HTTP status.' }),
    detail: Type.String({ description: 'What is wrong here and what can be done.' }),
    instance: Type.String({ description: 'The path of the request.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          path: Type.String({ description: 'Where: a JSON Pointer, empty for the whole, or the name of a header.' }),
          message: Type.String({ description: 'What is wrong there.' }),
        }),
        { description: 'Each place that is wrong.' },
      ),
    ),
    request_id: Type.String({ description: 'Names the request in the log, as `X-Request-ID` does.' }),
  },
  { description: 'Problem details of RFC 9457.' },
);

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

const sections = SECTION_NAMES.flatMap((name): [string, TSchema][] => {
  const schema = SECTIONS[name];
  const called = `${capital(name)}Config`;
  return [
    [called, schema],
    [`${called}Input`, asked(schema)],
    [`${called}Patch`, patchSchema(schema)],
  ];
});

/** Schemas that have a name in the documents, and are referred to from wherever they occur. */
const NAMED: Readonly<Record<string, TSchema>> = {
  Problem,
  Health,
  Check,
  Status,
  Activity,
  ClaimedActivity,
  Mode,
  ServiceReport,
  Service,
  FullAutoStatus,
  StartedCycle,
  Servo,
  ServoLimits,
  Song: SongItem,
  PriorityStatus,
  Task,
  NewTask: asked(NewTask),
  Event,
  HealthNews,
  Priority: PriorityName,
  Supervision: Supervised,
  SupervisionInput: asked(Supervised),
  ...Object.fromEntries(sections),
};

const nameOf = new Map(Object.entries(NAMED).map(([name, schema]) => [JSON.stringify(schema), name]));

/** The schemas of one document, each written down once. */
export class Schemas {
  readonly #used = new Set<string>();

  /** A schema as plain JSON, with what has a name replaced by a reference to it. */
  refer(schema: unknown): unknown {
    const name = typeof schema === 'object' ? nameOf.get(JSON.stringify(schema)) : undefined;
    if (name === undefined) return this.#parts(schema);
    this.#used.add(name);
    return { $ref: `#/components/schemas/${name}` };
  }

  /** What was referred to, by name. */
  components(): Record<string, unknown> {
    const written = new Map<string, unknown>();
    // A set that grows while it is walked: what is written down may refer to more.
    for (const name of this.#used) {
      // Its name is its title: three forms of a section would be shown under one title.
      const { title: _, ...schema }: TSchema & { title?: string } = NAMED[name] ?? {};
      written.set(name, this.#parts(schema));
    }
    const order = Object.keys(NAMED);
    return Object.fromEntries([...written].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
  }

  #parts(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map((item) => this.refer(item));
    if (typeof schema !== 'object' || schema === null) return schema;
    const parts = Object.entries(schema).filter(([key]) => !key.startsWith('x-'));
    const plain = Object.fromEntries(parts.map(([key, value]) => [key, this.refer(value)]));
    // An enumeration of ours says no type, and a reader would be told "any".
    return 'enum' in plain && !('type' in plain) ? { type: 'string', ...plain } : plain;
  }
}
