import type { NewEvent } from '../../core/model/event.ts';
import { Lane } from '../../core/scheduler/lane.ts';
import { ended, obey } from '../../core/scheduler/messages.ts';
import { DEFAULTS } from '../../core/skull/config/sections.ts';
import { FullAuto } from '../../core/skull/fullauto/fullauto.ts';
import type { Situation } from '../../core/skull/fullauto/ports.ts';
import { SimulatedClock } from './clock.ts';
import { MemoryFolder } from './folder.ts';
import { countingRandom, keepingLog } from './ports.ts';
import { MemorySongs } from './songs.ts';

/** A FullAuto before a real lane whose songs play for as long as they last, on a simulated clock. */
export function show({
  names = ['a', 'b', 'c'],
  folder = new MemoryFolder(),
  clock = new SimulatedClock(),
  mode = 'FullAuto',
  set = {} as Partial<typeof DEFAULTS.fullauto>,
} = {}) {
  const log = keepingLog();
  const songs = new MemorySongs(names);
  const config = { ...structuredClone(DEFAULTS.fullauto), shuffle: false, ...set };
  const started = clock.now();
  /** What happened, as `<seconds since the start> <what>`. */
  const history: string[] = [];
  const events: NewEvent[] = [];
  const note = (what: string) => history.push(`${(clock.now() - started) / 1000} ${what}`);
  const body: { situation?: Situation } = {};
  let ids = 0;
  const lane: Lane = new Lane({
    clock,
    random: countingRandom(),
    performer: {
      start: ({ id, name, kind, args }) => {
        note(`${kind} ${name}`);
        clock.setTimeout(() => lane.end(id), Object(args).duration_ms);
      },
    },
  });
  const make = () =>
    new FullAuto({
      clock,
      random: { id: () => `cycle-${++ids}`, next: () => 0 },
      log,
      config: () => config,
      songs,
      folder,
      situation: () => body.situation,
      claim: (payload) => void obey(lane, { topic: 'claim', payload }),
      cancel: (id) => {
        note(`cancel ${id}`);
        lane.cancel({ id });
      },
      step: (step) => void note(`step ${step || '-'}`),
      tell: (event) => events.push(event),
    });
  const fullauto = make();
  lane.onEvent(({ type, activity }) => {
    if (type === 'ended') fullauto.done(ended(activity, clock.now()) as Parameters<FullAuto['done']>[0]);
  });
  const settle = () => new Promise(setImmediate);
  return {
    fullauto,
    lane,
    clock,
    log,
    config,
    folder,
    events,
    body,
    songs,
    settle,
    /** Goes through time; what takes promises is through within a second. */
    async pass(seconds: number) {
      await settle();
      for (let second = 0; second < seconds; second++) {
        clock.advance(1000);
        await settle();
      }
    },
    /** What happened since the last call. */
    told: () => history.splice(0),
    set(changes: Partial<typeof config>) {
      Object.assign(config, changes);
      fullauto.configChanged();
    },
    /** When the next song starts, in seconds since the start. */
    next: () => {
      const { next_song_at: at } = fullauto.status();
      return at === null ? null : (Date.parse(at) - started) / 1000;
    },
    mode: (to: string, estop = false) => fullauto.mode({ mode: to, estop }),
    /** A greeting or a conversation, from now on for so long. */
    visit(kind: 'greet' | 'converse', ms: number) {
      lane.claim({ kind, priority: kind === 'greet' ? 'LOW' : 'URGENT', args: { duration_ms: ms } });
    },
    async begin() {
      fullauto.start();
      fullauto.mode({ mode, estop: false });
      await settle();
      history.shift();
      return this;
    },
  };
}
