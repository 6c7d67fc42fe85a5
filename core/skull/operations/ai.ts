import { SkullError } from '../../model/errors.ts';
import { Type } from '../../model/type.ts';
import type { Statechart } from '../../statechart/statechart.ts';
import type { Character } from '../character.ts';
import { activityOf } from '../chronicle.ts';
import { Ia } from '../config/sections.ts';
import { bodyOf, refusal, refuseUnderEstop } from './body.ts';
import { claimBody } from './claims.ts';
import { sectionAt } from './config.ts';
import { define, type Method, type Operation, TEXT_BYTES } from './operation.ts';

// Here the prompt has no default: a body without one says nothing.
const Text = Type.Unsafe<string>({ ...Ia.properties.prompt_system, default: undefined });
const Prompt = Type.Object({ prompt: Text }, { additionalProperties: false });
/** Room for the longest prompt, each of its characters written as an escape. */
const PROMPT_BYTES = 128 * 1024;
const example = { prompt: 'Tu es un crâne malicieux. Réponds en deux phrases.' };
const promptOf = (character: Character) => ({ body: { prompt: character.config.get('ia').prompt_system } });

const place = { path: '/ia/prompt-system', tag: 'AI' } as const;
const success = { status: 200, description: 'The system prompt.', schema: Prompt, example };

const getPrompt = define({
  ...place,
  id: 'getPromptSystem',
  method: 'GET',
  summary: 'Read the system prompt',
  description: 'Who the skull is, told to the language model before each conversation.',
  role: 'viewer',
  success,
  errors: [],
  handle: (_request, character) => promptOf(character),
});

const setPrompt = (id: string, method: Method, summary: string) =>
  define({
    ...place,
    id,
    method,
    summary,
    description: 'Changes `prompt_system` of section `ia`. PUT and POST do the same.',
    role: 'editor',
    body: { schema: Prompt, example, maxBytes: PROMPT_BYTES },
    success,
    errors: [],
    handle: ({ body: { prompt } }, character) => {
      const { prompt_system } = character.config.merge('ia', { prompt_system: prompt }, 'rest');
      return { body: { prompt: prompt_system } };
    },
  });

/** The statechart's own limit comes first; this one holds when the statechart is taken away while a reply is awaited. */
const GRACE_MS = 1000;

const late = () =>
  new SkullError('timeout', 'The AI did not answer in time: see service ai, and think_timeout_ms of section ia.');

const ended = (by: string) => new SkullError('conflict', `The conversation was ended by ${by} before the AI answered.`);

/** The text of the answer to a conversation, once the statechart leaves Think with it. */
function awaitReply(character: Character, body: Statechart, id: string): Promise<string> {
  const { clock, config } = character;
  return new Promise((resolve, reject) => {
    let thinks = body.state === 'Think';
    const end = () => {
      off();
      offLane?.();
      clock.clearTimeout(timer);
    };
    const off = body.onTransition(({ from, to, event, payload }) => {
      if (!thinks) {
        thinks = to === 'Think' && activityOf(body.context)?.id === id;
        return;
      }
      if (from !== 'Think' || to === 'Think') return;
      end();
      const text = event === 'ai/response' ? textOf(payload) : undefined;
      if (text !== undefined) resolve(text);
      else if (event === 'delay') reject(late());
      else reject(ended(event));
    });
    const offLane = character.lane?.onEvent(({ type, activity }) => {
      if (type !== 'ended' || activity.id !== id || thinks) return;
      end();
      reject(activity.outcome === 'expired' ? late() : ended(`outcome ${activity.outcome}`));
    });
    const timer = clock.setTimeout(() => {
      end();
      reject(late());
    }, config.get('ia').think_timeout_ms + GRACE_MS);
  });
}

/** The conversation that shall answer a text: the one that listens now, or one that claims the body. */
function conversationWith(text: string, character: Character, body: Statechart): string {
  const what = 'A conversation';
  refuseUnderEstop(character, what);
  const current = activityOf(body.context);
  if (current?.kind === 'converse') {
    if (!body.send({ type: 'ia/reply', payload: { text } }).handled) throw refusal(body, what);
    return current.id;
  }
  const ttlMs = character.config.get('ia').think_timeout_ms;
  const claim = { kind: 'converse', priority: 'URGENT', args: { text }, ttlMs, cause: 'rest' } as const;
  const activity = claimBody(character, what, claim);
  if (activity.phase === 'ended') throw refusal(body, what);
  return activity.id;
}

function textOf(payload: unknown): string | undefined {
  const text = typeof payload === 'object' && payload !== null && 'text' in payload ? payload.text : undefined;
  return typeof text === 'string' ? text : undefined;
}

const reply = define({
  id: 'reply',
  method: 'POST',
  path: '/ia/reply',
  tag: 'AI',
  summary: 'Ask the skull something',
  description:
    'Runs the conversation from Think on, as if the text had been heard, in every mode; the skull speaks the answer. Answers once the AI has.',
  role: 'editor',
  body: {
    schema: Type.Object(
      {
        text: Type.String({
          minLength: 1,
          maxLength: 10_000,
          pattern: '\\S',
          description: 'What is said to the skull.',
        }),
      },
      { additionalProperties: false },
    ),
    example: { text: 'bonjour' },
    maxBytes: TEXT_BYTES,
  },
  success: {
    status: 200,
    description: "The AI's answer.",
    schema: Type.Object({ reply: Type.String({ description: 'What the skull says.' }) }),
    example: { reply: 'Bonjour, vivant.' },
  },
  errors: ['estop', 'busy', 'conflict', 'too_many_requests', 'unavailable', 'timeout'],
  handle: ({ body: { text } }, character) => {
    const body = bodyOf(character);
    const id = conversationWith(text, character, body);
    return awaitReply(character, body, id).then((reply) => ({ body: { reply } }));
  },
});

export const AI_OPERATIONS: readonly Operation[] = [
  ...sectionAt('/ia/config', 'ia', 'AI', 'IaConfig', { think_timeout_ms: 20_000 }),
  getPrompt,
  setPrompt('replacePromptSystem', 'PUT', 'Replace the system prompt'),
  setPrompt('setPromptSystem', 'POST', 'Set the system prompt'),
  reply,
];
