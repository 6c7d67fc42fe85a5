import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { messageOf, SkullError } from '../../core/model/errors.ts';
import { parse } from '../../core/model/schema.ts';
import type { Envelope } from '../../core/model/songs.ts';
import { Type } from '../../core/model/type.ts';
import { readNewSongs } from '../../core/skull/housekeeping.ts';
import { JawTrack } from '../../core/skull/jaw.ts';
import { nextId, withoutIdleMetrics } from '../hot-path.ts';
import { characterOf } from '../ports.ts';

interface JawDef extends NodeDef {
  character: string;
}

/** A song, and when it would have begun had it played without a pause up to where it is. */
interface Playing {
  song: string;
  origin: number;
}

/** A start has better things to do than to read songs that nobody has asked for yet. */
const READ_AFTER_MS = 60_000;

const position = { minimum: 0, maximum: 86_400_000 };
const Play = Type.Object({
  song: Type.String({ minLength: 1, maxLength: 200 }),
  position_ms: Type.Number({ ...position, default: 0 }),
});
const Sync = Type.Object({ position_ms: Type.Number(position) });

/** The jaw's movements while a song plays, one message a frame. */
export default function skullJaw(RED: NodeAPI): void {
  /** What nodes moved to that were closed but not removed: a deploy does not stop a song. */
  const resting = new Map<string, Playing>();

  function create(this: Node, def: JawDef): void {
    RED.nodes.createNode(this, def);
    withoutIdleMetrics(this);
    const character = characterOf(RED, def.character);
    if (character === undefined) {
      this.status({ fill: 'red', shape: 'ring', text: 'skull-jaw.status.no-character' });
      return;
    }
    const { clock, songs } = character.ports;
    const track = new JawTrack({
      clock,
      frame: (open, t) => this.send({ _msgid: nextId(), topic: 'motion/jaw', payload: { open, t } } as NodeMessage),
    });
    let playing: Playing | undefined;
    /** Of the song that was begun last: one that goes on need not be looked up again. */
    let read: { song: string; envelope: Envelope } | undefined;
    let warnedOf: string | undefined;

    const stop = () => {
      playing = undefined;
      track.stop();
      this.status({});
    };
    const without = (song: string, why: string) => {
      this.status({ fill: 'yellow', shape: 'ring', text: 'skull-jaw.status.still' });
      if (song !== warnedOf) this.warn(RED._('skull-jaw.warning.still', { song, why }));
      warnedOf = song;
    };
    const move = ({ song, origin }: Playing, envelope: Envelope) => {
      track.play(envelope, clock.now() - origin);
      this.status({ fill: 'green', shape: 'dot', text: song });
    };
    const play = async (wanted: Playing, goesOn: boolean) => {
      const { song } = wanted;
      stop();
      playing = wanted;
      if (goesOn && read?.song === song) return move(wanted, read.envelope);
      this.status({ fill: 'yellow', shape: 'ring', text: 'skull-jaw.status.reading' });
      try {
        const envelope = await songs.envelope(song);
        // While it was read the song may have been stopped, or another one begun.
        if (playing !== wanted) return;
        if (envelope === undefined) return without(song, RED._('skull-jaw.warning.unknown'));
        read = { song, envelope };
        move(wanted, envelope);
      } catch (error) {
        if (playing === wanted) without(song, messageOf(error));
      }
    };
    const sync = (positionMs: number) => {
      if (playing === undefined) return;
      playing.origin = clock.now() - positionMs;
      track.sync(positionMs);
    };
    const obey = async ({ topic, payload }: NodeMessage) => {
      if (topic === 'play') {
        const { song, position_ms } = parse(Play, payload, { what: 'The payload of play' });
        await play({ song, origin: clock.now() - position_ms }, position_ms > 0);
      } else if (topic === 'sync') sync(parse(Sync, payload, { what: 'The payload of sync' }).position_ms);
      else if (topic === 'stop') stop();
      else throw new SkullError('invalid', `msg.topic must be play, sync or stop, not ${JSON.stringify(topic ?? '')}.`);
    };

    const reading = clock.setTimeout(() => {
      const { lane, log } = character;
      if (lane !== undefined) readNewSongs({ songs, lane, log }).catch((error) => this.error(messageOf(error)));
    }, READ_AFTER_MS);
    this.on('input', (msg, _send, done) => {
      obey(msg).then(() => done(), done);
    });
    this.on('close', (removed: boolean, closed: () => void) => {
      clock.clearTimeout(reading);
      if (playing !== undefined && !removed) resting.set(this.id, playing);
      stop();
      closed();
    });
    const before = resting.get(this.id);
    resting.delete(this.id);
    if (before !== undefined) void play(before, true);
  }
  RED.nodes.registerType('skull-jaw', create as never);
}
