import { Type } from '../core/model/type.ts';
import { oneOf, type Part, when } from './role.ts';

const Request = Type.Object({ id: Type.String(), text: Type.String() });

const ANSWERS = [
  'Du temps où j’avais des oreilles, j’aurais mieux compris.',
  'Voilà une question à se casser la tête.',
  'Je n’ai que la peau sur les os, et encore, sans la peau.',
  'Laissez-moi y réfléchir une éternité ou deux.',
  'Je vous répondrais bien, mais ma langue est partie en mil huit cent douze.',
] as const;

/** Answers every request after a while, each on its own. */
export function ai({ answerMs }: { answerMs: number }): Part {
  return {
    filters: ['ai/request'],
    enact: (stage) => ({
      hear: (_topic, payload) =>
        when(Request, payload, ({ id }) => {
          stage.after(answerMs, () => stage.publish('ai/response', { text: oneOf(stage, ANSWERS), id }));
        }),
    }),
  };
}
