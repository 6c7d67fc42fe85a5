import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SkullError } from '../../../core/model/errors.ts';
import { issuesOf } from '../../../core/model/schema.ts';
import { mergePatch, sameJson } from '../../../core/skull/config/json.ts';
import { DEFAULTS, SECTION_NAMES, SECTIONS } from '../../../core/skull/config/sections.ts';
import { type ConfigChange, ConfigStore } from '../../../core/skull/config/store.ts';
import { SimulatedClock } from '../../support/clock.ts';
import { MemoryFolder } from '../../support/folder.ts';
import { keepingLog } from '../../support/ports.ts';

const settled = () => new Promise(setImmediate);
const STAMP = '2026-01-01T00-00-00.000Z';

function open(files: Record<string, string> = {}, folder = new MemoryFolder()) {
  for (const [name, text] of Object.entries(files)) folder.files.set(name, text);
  const log = keepingLog();
  const store = new ConfigStore({ folder, clock: new SimulatedClock(), log });
  const changes: ConfigChange[] = [];
  store.onChange((change) => changes.push(change));
  return { store, folder, log, changes };
}

/** A store that has run before, with no write waiting. */
async function opened(files: Record<string, string> = {}) {
  const all = open(files);
  await settled();
  all.folder.saved.length = 0;
  return all;
}

const refusal = (code: string, path: string) => (error: unknown) => {
  assert(error instanceof SkullError);
  assert.equal(error.code, code, error.message);
  assert(
    error.issues.some((issue) => issue.path === path),
    JSON.stringify(error.issues),
  );
  return true;
};

describe('configuration sections', () => {
  it('are eight, and their defaults are valid', () => {
    assert.deepEqual(
      [...SECTION_NAMES].sort(),
      ['accueil', 'fullauto', 'gaze', 'ia', 'motion', 'services', 'song', 'vision'].sort(),
    );
    for (const section of SECTION_NAMES)
      assert.deepEqual(issuesOf(SECTIONS[section], structuredClone(DEFAULTS[section])), [], section);
  });

  it('have the defaults of the contract', () => {
    assert.deepEqual(DEFAULTS.vision, { threshold: 0.5, cooldown_ms: 10_000, sleep_after_ms: 600_000 });
    assert.deepEqual(DEFAULTS.gaze, { enabled: true, track_ms: 800, smoothing: 0.3 });
    assert.deepEqual(DEFAULTS.motion.servos.pan, { min: -60, max: 60, center: 0 });
    assert.deepEqual(DEFAULTS.song, { default: null, volume: 80, jaw_sync: true, margin_ms: 2000 });
    assert.deepEqual(DEFAULTS.services.motion, { timeout_ms: 15_000, enabled: true });
    assert.equal(DEFAULTS.ia.fallback_text, null);
    assert.equal(DEFAULTS.fullauto.quiet_hours, null);
  });

  it('say of each key what it is', () => {
    for (const section of SECTION_NAMES)
      for (const [key, schema] of Object.entries(SECTIONS[section].properties)) {
        if (section === 'services') continue;
        const { title, description } = schema as { title?: string; description?: string };
        assert(title && description, `${section}.${key}`);
        if (key.endsWith('_ms')) assert.match(description, /In milliseconds\.$/);
      }
  });

  const { store } = open();
  const refused: [section: keyof typeof SECTIONS, patch: unknown, code: string, path: string][] = [
    ['vision', { threshold: 1.1 }, 'invalid', '/threshold'],
    ['vision', { treshold: 0.4 }, 'invalid', '/treshold'],
    ['vision', { sleep_after_ms: -1 }, 'invalid', '/sleep_after_ms'],
    ['vision', { sleep_after_ms: 99 }, 'invalid', '/sleep_after_ms'],
    ['ia', { fallback_text: Number.POSITIVE_INFINITY }, 'invalid', '/fallback_text'],
    ['vision', { sleep_after_ms: 86_400_001 }, 'invalid', '/sleep_after_ms'],
    ['vision', JSON.parse('{"__proto__":{"threshold":0.1}}'), 'invalid', '/__proto__'],
    ['vision', 5, 'invalid', ''],
    ['vision', null, 'invalid', ''],
    ['vision', [], 'invalid', ''],
    ['gaze', { track_ms: 99 }, 'invalid', '/track_ms'],
    ['gaze', { track_ms: '800' }, 'invalid', '/track_ms'],
    ['gaze', { enabled: 1 }, 'invalid', '/enabled'],
    ['motion', { servos: { jaw: { max: 'wide' } } }, 'invalid', '/servos/jaw/max'],
    ['motion', { servos: { 'a/b': DEFAULTS.motion.servos.jaw } }, 'invalid', '/servos/a~1b'],
    ['motion', JSON.parse('{"servos":{"__proto__":{"min":0,"max":1,"center":0}}}'), 'invalid', '/servos/__proto__'],
    ['motion', { servos: { jaw: { center: 41 } } }, 'not_allowed', '/servos/jaw/center'],
    ['motion', { servos: { jaw: { min: 40 } } }, 'not_allowed', '/servos/jaw/min'],
    ['accueil', { greetings: [] }, 'invalid', '/greetings'],
    ['accueil', { greetings: ['bonjour', ' '] }, 'invalid', '/greetings/1'],
    ['song', { default: '../secret' }, 'invalid', '/default'],
    ['song', { volume: 101 }, 'invalid', '/volume'],
    ['ia', { backend: 'oracle' }, 'invalid', '/backend'],
    ['ia', { temperature: Number.NaN }, 'invalid', '/temperature'],
    ['fullauto', { quiet_hours: { from: '22:00', to: '7:00', timezone: 'UTC' } }, 'invalid', '/quiet_hours/to'],
    ['fullauto', { quiet_hours: { from: '22:00' } }, 'invalid', '/quiet_hours/to'],
    [
      'fullauto',
      { quiet_hours: { from: '22:00', to: '07:00', timezone: 'Mars/Olympus' } },
      'not_allowed',
      '/quiet_hours/timezone',
    ],
    ['services', { motion: { timeout_ms: -5 } }, 'invalid', '/motion/timeout_ms'],
    ['services', { radio: {} }, 'invalid', '/radio'],
  ];
  for (const [section, patch, code, path] of refused)
    it(`refuse ${JSON.stringify(patch)} in ${section}, as ${code}`, () => {
      const before = store.all();
      assert.throws(() => store.merge(section, patch, 'rest'), refusal(code, path));
      assert.equal(store.all(), before);
    });

  it('take the ends of their ranges', () => {
    const { store } = open();
    store.merge('vision', { sleep_after_ms: 0, cooldown_ms: 86_400_000, threshold: 1 }, 'rest');
    store.merge('gaze', { track_ms: 100 }, 'rest');
    store.merge('services', { motion: { timeout_ms: 0 } }, 'rest');
    store.merge('fullauto', { quiet_hours: { from: '22:00', to: '07:00', timezone: 'Europe/Paris' } }, 'rest');
    assert.equal(store.get('fullauto').quiet_hours?.timezone, 'Europe/Paris');
  });
});

describe('ConfigStore', () => {
  it('begins with the defaults and writes them', async () => {
    const { store, folder } = open();
    await settled();
    assert.deepEqual(store.all(), DEFAULTS);
    for (const section of SECTION_NAMES) assert.deepEqual(folder.load(section), DEFAULTS[section]);
    assert.deepEqual(store.problems(), []);
  });

  it('reads what is there, fills in what is missing, and writes nothing at a second start', async () => {
    const first = await opened({ 'vision.json': '{"threshold":0.9}' });
    assert.deepEqual(first.store.get('vision'), { ...DEFAULTS.vision, threshold: 0.9 });
    assert.equal(first.folder.files.get('vision.json'), '{"threshold":0.9}', 'a hand’s writing stays as it is');
    const second = open({}, first.folder);
    await settled();
    assert.deepEqual(second.store.all(), first.store.all());
    assert.deepEqual(second.folder.saved, []);
  });

  it('replaces a whole section: missing keys take their defaults', async () => {
    const { store, folder, changes } = await opened();
    store.merge('vision', { threshold: 0.9 }, 'rest');
    const value = store.replace('vision', { cooldown_ms: 500 }, 'mqtt');
    assert.deepEqual(value, { ...DEFAULTS.vision, cooldown_ms: 500 });
    assert.equal(store.get('vision'), value);
    await settled();
    assert.deepEqual(folder.load('vision'), value);
    assert.deepEqual(
      changes.map(({ section, source }) => [section, source]),
      [
        ['vision', 'rest'],
        ['vision', 'mqtt'],
      ],
    );
    assert.equal(changes[1]?.previous, changes[0]?.value);
  });

  it('merges by RFC 7396: null takes away', () => {
    const { store } = open();
    store.merge('motion', { servos: { tilt: null, brow: { min: 0, max: 10, center: 5 } } }, 'rest');
    assert.deepEqual(Object.keys(store.get('motion').servos), ['jaw', 'pan', 'brow']);
    store.merge('ia', { fallback_text: 'Pardon ?' }, 'rest');
    store.merge('ia', { fallback_text: null }, 'rest');
    assert.equal(store.get('ia').fallback_text, null);
  });

  it('tells nobody and writes nothing when nothing changes', async () => {
    const { store, folder, changes } = await opened();
    const before = store.all();
    store.replace('vision', { sleep_after_ms: 600_000, threshold: 0.5, cooldown_ms: 10_000 }, 'rest');
    store.merge('gaze', {}, 'mqtt');
    await settled();
    assert.equal(store.all(), before);
    assert.deepEqual([changes, folder.saved], [[], []]);
  });

  it('changes nothing when a value is refused', async () => {
    const { store, folder, changes } = await opened();
    assert.throws(() => store.replace('vision', { threshold: 7 }, 'rest'), refusal('invalid', '/threshold'));
    await settled();
    assert.deepEqual([store.all(), changes, folder.saved], [DEFAULTS, [], []]);
  });

  it('is not changed by what its callers do to what they gave or got', () => {
    const { store } = open();
    const given = { servos: { jaw: { min: 0, max: 30, center: 0 } } };
    const got = store.replace('motion', given, 'rest');
    given.servos.jaw.max = 99;
    assert.throws(() => {
      (got.servos.jaw as { max: number }).max = 99;
    }, TypeError);
    assert.equal(store.get('motion').servos.jaw?.max, 30);
  });

  it('lets every listener hear changes in the order they were made, and survives one that throws', () => {
    const { store, log } = open();
    const heard: unknown[] = [];
    store.onChange(({ section }) => {
      if (section === 'vision') store.merge('gaze', { track_ms: 500 }, 'rest');
      throw new Error('a bad listener');
    });
    const end = store.onChange(({ section }) => heard.push(section));
    store.merge('vision', { threshold: 0.1 }, 'rest');
    assert.deepEqual(heard, ['vision', 'gaze']);
    assert.match(log.entries.at(-1)?.msg ?? '', /a bad listener/);
    end();
    store.merge('vision', { threshold: 0.2 }, 'rest');
    assert.equal(heard.length, 2);
  });

  it('sets a broken file aside at start; the last good copy serves and is written', async () => {
    const before = await opened();
    before.store.merge('vision', { threshold: 0.8 }, 'rest');
    await settled();
    before.folder.files.set('vision.json', '{"threshold": 0.');
    before.folder.files.set('gaze.json', '{"track_ms": 3}');
    const { store, folder } = open({}, before.folder);
    assert.equal(store.get('vision').threshold, 0.8);
    assert.deepEqual(store.get('gaze'), DEFAULTS.gaze);
    assert.equal(folder.files.get(`vision.json.broken-${STAMP}`), '{"threshold": 0.');
    assert.equal(folder.files.get(`gaze.json.broken-${STAMP}`), '{"track_ms": 3}');
    await settled();
    assert.deepEqual(folder.load('vision'), store.get('vision'));
    const [vision, gaze] = store.problems();
    assert.match(vision ?? '', /vision\.json was broken.*set aside as vision\.json\.broken-.*last good copy/);
    assert.match(gaze ?? '', /gaze\.json.*\/track_ms must be at least 100/);
    store.merge('vision', { threshold: 0.8 }, 'rest');
    assert.equal(store.problems().length, 1, 'confirmed by its owner');
  });

  it('serves the defaults where the last good copy is broken too', () => {
    const texts = ['{', '5', 'null', '{"sections":null}', '{"sections":{"vision":{"threshold":5}}}'];
    for (const text of texts) {
      const { store } = open({ 'vision.json': '[]', 'last-good.json': text });
      assert.deepEqual(store.get('vision'), DEFAULTS.vision);
      assert.match(store.problems()[0] ?? '', /the defaults serve/);
    }
  });

  it('checks the files anew when the rules are those of another release', async () => {
    const { folder } = await opened();
    const bad = { ...DEFAULTS.vision, threshold: 9 };
    folder.files.set('vision.json', JSON.stringify(bad));
    folder.files.set('last-good.json', JSON.stringify({ rules: 'older', sections: { ...DEFAULTS, vision: bad } }));
    assert.deepEqual(open({}, folder).store.get('vision'), DEFAULTS.vision);
  });

  describe('when a file is edited', () => {
    it('takes the edit, once, and leaves the file as the hand wrote it', async () => {
      const { store, folder, changes } = await opened();
      const text = '{ "threshold": 0.7 }';
      folder.edit('vision', text);
      folder.edit('vision', `${text}\n`);
      await settled();
      assert.equal(store.get('vision').threshold, 0.7);
      assert.deepEqual(
        changes.map(({ section, source }) => [section, source]),
        [['vision', 'file']],
      );
      assert.equal(folder.files.get('vision.json'), `${text}\n`);
      assert.deepEqual(folder.saved, ['last-good']);
    });

    it('leaves a broken edit in place and says so until it is mended', async () => {
      const { store, folder, changes } = await opened();
      const told: number[] = [];
      store.onProblems((problems) => told.push(problems.length));
      folder.edit('vision', '{"threshold": 0.7');
      assert.equal(folder.files.get('vision.json'), '{"threshold": 0.7');
      assert.match(store.problems()[0] ?? '', /vision\.json was edited and is broken/);
      folder.edit('vision', JSON.stringify(DEFAULTS.vision));
      assert.deepEqual([store.problems(), changes, told], [[], [], [1, 0]]);
    });

    it('keeps a broken edit aside when another door writes the section', async () => {
      const { store, folder } = await opened();
      folder.edit('vision', '{"threshold": 0.7');
      store.replace('vision', DEFAULTS.vision, 'rest');
      await settled();
      assert.equal(folder.files.get(`vision.json.broken-${STAMP}`), '{"threshold": 0.7');
      assert.deepEqual(folder.load('vision'), DEFAULTS.vision);
      assert.deepEqual(store.problems(), []);
    });

    it('writes a removed file again', async () => {
      const { store, folder, changes } = await opened();
      store.merge('vision', { threshold: 0.7 }, 'rest');
      await settled();
      folder.edit('vision', undefined);
      await settled();
      assert.deepEqual(folder.load('vision'), store.get('vision'));
      assert.equal(changes.length, 1);
    });

    it('does not care for other files, nor after it was closed', async () => {
      const { store, folder, changes } = await opened();
      folder.edit('last-good', '{}');
      folder.edit('notes', '{}');
      await store.close();
      assert.equal(folder.watched, false);
      assert.deepEqual(changes, []);
    });
  });

  it('holds a value that the disk refused, says so, and stops saying so once it is written', async () => {
    const { store, folder } = await opened();
    folder.failure = new Error('ENOSPC: no space left on device');
    store.merge('vision', { threshold: 0.7 }, 'rest');
    await settled();
    assert.equal(store.get('vision').threshold, 0.7);
    assert.match(store.problems()[0] ?? '', /vision\.json could not be written \(ENOSPC/);
    folder.failure = undefined;
    store.merge('vision', { threshold: 0.6 }, 'rest');
    await settled();
    assert.deepEqual(store.problems(), []);
    assert.deepEqual(folder.load('vision'), store.get('vision'));
  });

  it('keeps a retained value that lost beside the section', async () => {
    const { store, folder } = await opened();
    assert.equal(store.keepRetained('vision', { threshold: 1 }), `vision.json.retained-${STAMP}`);
    assert.equal(folder.files.get(`vision.json.retained-${STAMP}`), '{"threshold":1}');
  });

  it('either refuses any JSON value with an issue, or holds a valid section', () => {
    const { store } = open();
    const section = fc.constantFrom(...SECTION_NAMES);
    const near = section.chain((name) =>
      fc
        .dictionary(fc.constantFrom(...Object.keys(SECTIONS[name].properties), 'other'), fc.jsonValue())
        .map((value) => [name, value] as const),
    );
    const any = fc.tuple(section, fc.oneof(fc.jsonValue(), fc.anything({ withBigInt: true })));
    const command = fc.tuple(fc.oneof(near, any), fc.constantFrom('replace' as const, 'merge' as const));
    fc.assert(
      fc.property(command, ([[name, value], verb]) => {
        const before = store.all();
        try {
          const now = store[verb](name, value, 'rest');
          assert.equal(store.get(name), now);
        } catch (error) {
          assert(error instanceof SkullError, String(error));
          assert(error.code === 'invalid' || error.code === 'not_allowed');
          assert(error.issues.length > 0);
          assert.equal(store.all(), before);
        }
        assert.deepEqual(issuesOf(SECTIONS[name], structuredClone(store.get(name))), []);
        assert.equal(Object.getPrototypeOf({}), Object.prototype);
        assert.deepEqual(Object.keys(Object.prototype), []);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what is nested without end', () => {
    const { store } = open();
    let deep: unknown = 1;
    for (let i = 0; i < 200_000; i++) deep = { motion: deep };
    const round: Record<string, unknown> = {};
    round.round = round;
    for (const value of [deep, round]) {
      assert.throws(() => store.merge('services', value, 'rest'), refusal('invalid', ''));
      assert.throws(() => store.replace('services', value, 'rest'), refusal('invalid', ''));
    }
  });
});

describe('JSON values', () => {
  it('are merged as the examples of RFC 7396 are', () => {
    const examples: [target: unknown, patch: unknown, result: unknown][] = [
      [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
      [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
      [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
      [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
      [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
      [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
      [
        ['a', 'b'],
        ['c', 'd'],
        ['c', 'd'],
      ],
      [{ a: 'foo' }, null, null],
      [{ e: null }, { a: 1 }, { e: null, a: 1 }],
      [[1, 2], { a: 'b', c: null }, { a: 'b' }],
      [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    ];
    for (const [target, patch, result] of examples) assert.deepEqual(mergePatch(target, patch), result);
  });

  it('are the same when they say the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        assert(sameJson(a, JSON.parse(JSON.stringify(a))));
        if (sameJson(a, b)) assert.deepEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
      }),
    );
    assert(sameJson({ a: 1, b: [2] }, { b: [2], a: 1 }));
    assert(!sameJson({ a: 1 }, { a: 1, b: undefined }));
    assert(!sameJson([1], { 0: 1 }));
  });
});
