import { SkullError } from '../../model/errors.ts';
import { Type } from '../../model/type.ts';
import { bodyOf, modeOf } from './body.ts';
import { define, type Operation } from './operation.ts';
import { Mode, State } from './service.ts';

const ModeAnswer = Type.Object({ mode: Mode });

const getMode = define({
  id: 'getMode',
  method: 'GET',
  path: '/mode',
  tag: 'Skull',
  summary: 'The mode',
  description: 'What the operator wants of the skull.',
  role: 'viewer',
  success: { status: 200, description: 'The mode.', schema: ModeAnswer, example: { mode: 'Accueil' } },
  errors: ['unavailable'],
  handle: (_request, character) => ({ body: { mode: modeOf(bodyOf(character)) } }),
});

const setMode = define({
  id: 'setMode',
  method: 'POST',
  path: '/mode',
  tag: 'Skull',
  summary: 'Change the mode',
  description:
    'What runs is ended, unless it belongs to the new mode too. The mode may change under emergency stop. `mode` and `state` mean the same here; one of them is needed.',
  role: 'editor',
  body: {
    schema: Type.Object(
      { mode: Type.Optional(Mode), state: Type.Optional(Mode) },
      { additionalProperties: false, minProperties: 1 },
    ),
    example: { state: 'Accueil' },
  },
  success: { status: 200, description: 'The mode it has now.', schema: ModeAnswer, example: { mode: 'Accueil' } },
  errors: ['conflict', 'unavailable'],
  handle: ({ body: { mode, state } }, character) => {
    if (mode !== undefined && state !== undefined && mode !== state) {
      throw new SkullError('invalid', 'The body is invalid: /mode and /state differ.', {
        issues: [{ path: '/state', message: 'differs from /mode' }],
      });
    }
    const wanted = mode ?? state;
    const body = bodyOf(character);
    body.send({ type: 'skull/mode', payload: wanted });
    const now = modeOf(body);
    if (now !== wanted) {
      throw new SkullError('conflict', `The statechart keeps mode ${now} in state ${body.state}.`);
    }
    return { body: { mode: now } };
  },
});

const setEstop = define({
  id: 'setEstop',
  method: 'POST',
  path: '/estop',
  tag: 'Skull',
  summary: 'Emergency stop',
  description:
    'Stops everything at once and holds until it is released with `{"active": false}`. No body means true. Any key may set it; releasing it takes the role `editor`.',
  role: 'viewer',
  body: {
    schema: Type.Object(
      { active: Type.Boolean({ default: true, description: 'False releases the emergency stop.' }) },
      { additionalProperties: false },
    ),
    example: { active: true },
    absent: { active: true },
  },
  success: {
    status: 200,
    description: 'The emergency stop as it is now.',
    schema: Type.Object({
      estop: Type.Boolean({ description: 'True while the emergency stop is on.' }),
      state: State,
    }),
    example: { estop: true, state: 'Idle' },
  },
  errors: ['forbidden', 'conflict', 'unavailable'],
  handle: ({ body: { active }, role }, character) => {
    if (!active && role === 'viewer') {
      throw new SkullError('forbidden', 'Releasing the emergency stop takes the role editor; this key has viewer.');
    }
    const body = bodyOf(character);
    body.send({ type: 'motion/estop', payload: { active } });
    const estop = body.context.estop === true;
    if (estop !== active) {
      throw new SkullError('conflict', `The statechart did not ${active ? 'take' : 'release'} the emergency stop.`);
    }
    return { body: { estop, state: body.state } };
  },
});

export const SKULL_OPERATIONS: readonly Operation[] = [getMode, setMode, setEstop];
