import { SkullError } from '../../model/errors.ts';
import { UNIT_STATES, type Verb } from '../../model/service-manager.ts';
import { SERVICES, type ServiceName } from '../../model/services.ts';
import { type Static, Type } from '../../model/type.ts';
import { knownService } from '../../supervision/allowed.ts';
import { type Character, NOBODY_SEES_TO_SERVICES } from '../character.ts';
import { define, type Operation } from './operation.ts';
import { Page, PageQuery, pageOf } from './page.ts';
import { ServiceReport } from './service.ts';

export const Service = Type.Object(
  {
    name: Type.Enum([...SERVICES], { description: 'Which service it is.' }),
    ...ServiceReport.properties,
    unit: Type.Enum([...UNIT_STATES], {
      description: 'Where its unit stands; `unknown` where it does not exist, or its manager cannot be asked.',
    }),
    enabled: Type.Boolean({ description: 'Whether it is started and watched: `services.{name}.enabled`.' }),
  },
  { title: 'A service and its unit' },
);
type Service = Static<typeof Service>;

const voice: Service = {
  name: 'voice',
  state: 'alive',
  alive: true,
  last_seen: '2026-01-01T12:00:00.000Z',
  restarts: 0,
  unit: 'running',
  enabled: true,
};

const detailOf = ({ life }: Character, name: ServiceName): Service => ({ name, ...life.detail(name) });

const list = define({
  id: 'listServices',
  method: 'GET',
  path: '/services',
  tag: 'Services',
  summary: 'The services',
  description: 'Each with its signs of life and its unit.',
  role: 'viewer',
  query: PageQuery,
  success: {
    status: 200,
    description: 'A page of services.',
    schema: Page(Service),
    example: { items: [voice], next_cursor: null },
  },
  errors: [],
  handle: ({ query }, character) => {
    const services = SERVICES.map((name) => detailOf(character, name));
    return { body: pageOf(services, query, ({ name }) => name) };
  },
});

/** The one of the services that is meant, down to the last character: nothing else goes any further. */
async function command({ supervisor }: Character, service: ServiceName, verb: Verb): Promise<void> {
  if (supervisor === undefined) {
    throw new SkullError('unavailable', NOBODY_SEES_TO_SERVICES);
  }
  try {
    await supervisor.command(service, verb);
  } catch (error) {
    // The caller may; it is we who may not.
    if (!(error instanceof SkullError) || error.code !== 'forbidden') throw error;
    throw new SkullError('unavailable', error.message, { cause: error });
  }
}

const commanding = (verb: Verb, summary: string, description: string, example: Service): Operation =>
  define({
    id: `${verb}Service`,
    method: 'POST',
    path: `/services/{name}/${verb}`,
    tag: 'Services',
    summary,
    description,
    role: 'admin',
    params: Type.Object({
      name: Type.String({
        maxLength: 100,
        description: `The name of a service: ${SERVICES.join(', ')}.`,
        examples: ['voice'],
      }),
    }),
    success: { status: 200, description: 'The service, once it is done.', schema: Service, example },
    errors: ['not_found', 'conflict', 'unavailable', 'timeout'],
    handle: async ({ params: { name } }, character) => {
      const service = knownService(name);
      await command(character, service, verb);
      return { body: detailOf(character, service) };
    },
  });

const restarting: Service = { ...voice, state: 'restarting', alive: false };

export const SERVICES_OPERATIONS: readonly Operation[] = [
  list,
  commanding(
    'start',
    'Start a service',
    'Also takes back that it was stopped on purpose, or given up. It is `alive` once it is heard.',
    restarting,
  ),
  commanding(
    'stop',
    'Stop a service',
    'On purpose: it stays stopped until somebody starts it, or the orchestrator does.',
    { ...voice, state: 'stopped', alive: false, unit: 'stopped' },
  ),
  commanding('restart', 'Restart a service', 'As a start, though it runs.', restarting),
];
