import { SkullError } from '../../model/errors.ts';
import { Type } from '../../model/type.ts';
import type { Character } from '../character.ts';
import { ServoLimits } from '../config/sections.ts';
import { refuseUnderEstop } from './body.ts';
import { define, type Operation } from './operation.ts';
import { Page, PageQuery, pageOf } from './page.ts';

const Name = Type.String({ maxLength: 100, description: 'The name of a servo.', examples: ['jaw', 'pan', 'tilt'] });
const Params = Type.Object({ name: Name });
export const Servo = Type.Object({ name: Name, ...ServoLimits.properties }, { title: 'A servo and its limits' });

const jaw = { min: 0, max: 40, center: 0 };
const DEFAULT_MOVE_MS = 300;
const LONGEST_MOVE_MS = 60_000;

function limitsOf(character: Character, name: string): ServoLimits {
  const { servos } = character.config.get('motion');
  const limits = Object.hasOwn(servos, name) ? servos[name] : undefined;
  if (limits === undefined) {
    throw new SkullError('not_found', `There is no servo ${name}: there are ${Object.keys(servos).join(', ')}.`);
  }
  return limits;
}

const list = define({
  id: 'listServos',
  method: 'GET',
  path: '/servo',
  tag: 'Servos',
  summary: 'All servos',
  description: 'The servos of section `motion`, each with its limits in degrees.',
  role: 'viewer',
  query: PageQuery,
  success: {
    status: 200,
    description: 'A page of servos.',
    schema: Page(Servo),
    example: { items: [{ name: 'jaw', ...jaw }], next_cursor: null },
  },
  errors: [],
  handle: ({ query }, character) => {
    const servos = Object.entries(character.config.get('motion').servos);
    const items = servos.map(([name, { min, max, center }]) => ({ name, min, max, center }));
    return { body: pageOf(items, query, ({ name }) => name) };
  },
});

const move = define({
  id: 'moveServo',
  method: 'POST',
  path: '/servo/{name}/move',
  tag: 'Servos',
  summary: 'Move a servo',
  description: 'Turns a servo to an angle within its limits. Publishes `motion/servo/{name}/move`.',
  role: 'editor',
  params: Params,
  body: {
    schema: Type.Object(
      {
        angle: Type.Number({ description: 'In degrees.' }),
        duration_ms: Type.Integer({
          minimum: 0,
          maximum: LONGEST_MOVE_MS,
          default: DEFAULT_MOVE_MS,
          description: 'How long the movement takes.',
        }),
      },
      { additionalProperties: false },
    ),
    example: { angle: 12.5, duration_ms: 300 },
  },
  success: {
    status: 200,
    description: 'The movement was commanded.',
    schema: Type.Object({
      name: Name,
      angle: Type.Number({ description: 'In degrees.' }),
      duration_ms: Type.Integer({ description: 'How long the movement takes.' }),
    }),
    example: { name: 'jaw', angle: 12.5, duration_ms: 300 },
  },
  errors: ['not_found', 'estop', 'not_allowed'],
  handle: ({ params: { name }, body: { angle, duration_ms } }, character) => {
    const { min, max } = limitsOf(character, name);
    refuseUnderEstop(character, 'Moving a servo');
    if (angle < min || angle > max) {
      throw new SkullError('not_allowed', `Servo ${name} turns from ${min} to ${max} degrees; ${angle} is outside.`, {
        issues: [{ path: '/angle', message: `must be from ${min} to ${max}` }],
      });
    }
    return {
      body: { name, angle, duration_ms },
      commands: [{ topic: `motion/servo/${name}/move`, payload: { angle, duration_ms } }],
    };
  },
});

const getLimits = define({
  id: 'getServoLimits',
  method: 'GET',
  path: '/servo/{name}/limits',
  tag: 'Servos',
  summary: "Read a servo's limits",
  description: 'In degrees.',
  role: 'viewer',
  params: Params,
  success: { status: 200, description: 'The limits.', schema: ServoLimits, example: jaw },
  errors: ['not_found'],
  handle: ({ params: { name } }, character) => ({ body: limitsOf(character, name) }),
});

const setLimits = define({
  id: 'setServoLimits',
  method: 'PUT',
  path: '/servo/{name}/limits',
  tag: 'Servos',
  summary: "Change a servo's limits",
  description: 'Changes section `motion`; the new limits are published on `motion/servo/{name}/limits`.',
  role: 'editor',
  params: Params,
  body: { schema: ServoLimits, example: jaw },
  success: { status: 200, description: 'The limits as they are stored now.', schema: ServoLimits, example: jaw },
  errors: ['not_found', 'not_allowed'],
  handle: ({ params: { name }, body }, character) => {
    limitsOf(character, name);
    try {
      const { servos } = character.config.merge('motion', { servos: { [name]: body } }, 'rest');
      return { body: servos[name] ?? body };
    } catch (error) {
      throw ofLimits(error, `/servos/${name}`);
    }
  },
});

/** An error about the section as one about the limits, which are all that the caller sent. */
function ofLimits(error: unknown, place: string): unknown {
  if (!(error instanceof SkullError)) return error;
  const issues = error.issues.map(({ path, message }) => ({ path: path.replace(place, ''), message }));
  return new SkullError(error.code, error.message, { issues, cause: error });
}

export const SERVO_OPERATIONS: readonly Operation[] = [list, move, getLimits, setLimits];
