import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { messageOf, SkullError } from '../../core/model/errors.ts';
import { parse } from '../../core/model/schema.ts';
import type { TSchema } from '../../core/model/type.ts';
import type { Character } from '../../core/skull/character.ts';
import { FullAuto } from '../../core/skull/fullauto/fullauto.ts';
import { type Cycle, Ended, Situation } from '../../core/skull/fullauto/ports.ts';
import { withoutIdleMetrics } from '../hot-path.ts';
import { characterOf } from '../ports.ts';
import { Starts } from '../starts.ts';

interface FullAutoDef extends NodeDef {
  character: string;
}

/** The show that runs by itself: asks for the body each time a song is due, and says what may follow it. */
export default function skullFullauto(RED: NodeAPI): void {
  const starts = new Starts(RED);
  /** Cycles of nodes that were closed but not removed: a deploy does not end what it did not change. */
  const resting = new Map<string, Cycle>();

  function create(this: Node, def: FullAutoDef): void {
    RED.nodes.createNode(this, def);
    withoutIdleMetrics(this);
    const character = characterOf(RED, def.character);
    if (character === undefined) {
      this.status({ fill: 'red', shape: 'ring', text: 'skull-fullauto.status.no-character' });
      return;
    }
    const fullauto = build(this, character, resting.get(this.id));
    resting.delete(this.id);
    let release: (() => void) | undefined;
    let endChanges: (() => void) | undefined;
    let taken = false;
    const start = () => {
      taken = character.fullauto !== undefined;
      if (taken) {
        this.status({ fill: 'red', shape: 'ring', text: 'skull-fullauto.status.taken' });
        this.error(`${def.name || def.id}: another skull-fullauto node serves this character already.`);
        return;
      }
      release = character.conduct(fullauto);
      endChanges = character.config.onChange(() => fullauto.configChanged());
      fullauto.start();
      show(this, fullauto);
    };
    // A turn later the statechart has started too, and can be asked for the mode: one that goes on does not tell it.
    let starting: NodeJS.Immediate | undefined;
    const callOff = starts.add(() => {
      starting = setImmediate(start);
    });

    this.on('input', (msg: NodeMessageInFlow, _send, done) => {
      const failed = (error: unknown) => done(error instanceof Error ? error : new Error(messageOf(error)));
      try {
        if (taken) throw new SkullError('unavailable', 'Another skull-fullauto node serves this character.');
        const answer = receive(fullauto, msg);
        if (answer === undefined) done();
        else answer.then(() => done(), failed);
      } catch (error) {
        failed(error);
      }
    });
    this.on('close', (removed: boolean, done: () => void) => {
      callOff();
      clearImmediate(starting);
      endChanges?.();
      release?.();
      if (!removed && fullauto.cycle !== undefined) resting.set(this.id, fullauto.cycle);
      this.status({});
      fullauto
        .stop()
        .catch((error: unknown) => this.error(messageOf(error)))
        .finally(done);
    });
  }

  function build(node: Node, character: Character, cycle: Cycle | undefined): FullAuto {
    const { clock, random, log, songs } = character.ports;
    const fullauto = new FullAuto({
      clock,
      random,
      log,
      songs,
      cycle,
      config: () => character.config.get('fullauto'),
      folder: character.ports.documents('data'),
      situation: () => situationOf(character),
      claim: (claim) => node.send([{ topic: 'claim', payload: claim }, null]),
      cancel: (id) => {
        const phase = character.lane?.find(id)?.phase;
        if (phase === undefined || phase === 'waiting') node.send([{ topic: 'cancel', payload: { id } }, null]);
      },
      step: (step) => node.send([null, { topic: 'fullauto/step', payload: { step } }]),
      tell: (event) => {
        character.events.append(event);
        show(node, fullauto);
      },
    });
    return fullauto;
  }

  function show(node: Node, fullauto: FullAuto): void {
    const { enabled, held, step, next_song_at: next } = fullauto.status();
    const text = (key: string, values: Record<string, string> = {}) => RED._(`skull-fullauto.status.${key}`, values);
    if (step !== null) node.status({ fill: 'green', shape: 'dot', text: text(`step-${step}`) });
    else if (!enabled) node.status({ fill: 'grey', shape: 'ring', text: text('off') });
    else if (held) node.status({ fill: 'yellow', shape: 'ring', text: text('held') });
    else if (next === null) node.status({ fill: 'red', shape: 'ring', text: text('estop') });
    else node.status({ fill: 'green', shape: 'ring', text: text('next', { time: timeOf(next) }) });
  }

  RED.nodes.registerType('skull-fullauto', create as never);
}

/** Resolves once what the message asks for has begun. Throws what is wrong with it. */
function receive(fullauto: FullAuto, { topic, payload }: NodeMessageInFlow): Promise<unknown> | undefined {
  if (topic === 'mode') fullauto.mode(checked(Situation, payload, topic));
  else if (topic === 'activity/done') fullauto.done(checked(Ended, payload, topic));
  else if (topic === 'next') return fullauto.next();
  else if (topic === 'test-once') return fullauto.testOnce();
  else throw new SkullError('invalid', 'msg.topic must be mode, activity/done, next or test-once.');
  return undefined;
}

const checked = <T extends TSchema>(schema: T, payload: unknown, topic: string) =>
  parse(schema, payload, { what: `The payload of ${topic}` });

/** What the statechart says itself, which a message on its way may not say yet. */
function situationOf({ body }: Character): Situation | undefined {
  const { mode, estop } = body?.context ?? {};
  return typeof mode === 'string' ? { mode, estop: estop === true } : undefined;
}

/** Hours, minutes and seconds where this runs. */
const timeOf = (time: string): string => new Date(time).toTimeString().slice(0, 8);
