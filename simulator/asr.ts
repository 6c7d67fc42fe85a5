import { Type } from '../core/model/type.ts';
import { oneOf, type Part, when } from './role.ts';

const Listen = Type.Object({ active: Type.Boolean() });

const HEARD = [
  'Bonjour, tu t’appelles comment ?',
  'Est-ce que tu as peur du noir ?',
  'Raconte-moi une histoire.',
  'Quel âge as-tu ?',
  'Tu connais une chanson ?',
  'Il fait froid ici, non ?',
] as const;

/** Understands a sentence some time after it was told to listen. */
export function asr({ hearMs }: { hearMs: number }): Part {
  return {
    filters: ['asr/listen'],
    enact: (stage) => {
      let cancel = () => {};
      return {
        hear: (_topic, payload) =>
          when(Listen, payload, ({ active }) => {
            cancel();
            if (!active) return;
            cancel = stage.after(hearMs, () => stage.publish('asr/text', { text: oneOf(stage, HEARD), final: true }));
          }),
      };
    },
  };
}
