import assert from 'node:assert/strict';
import { createMetrics } from '../../../adapters/telemetry/metrics.ts';
import { meterCharacter } from '../../../core/skull/metrics.ts';
import { Statechart, type StatechartDefinition } from '../../../core/statechart/statechart.ts';
import { setUp } from '../../support/operations.ts';
import { countingRandom } from '../../support/ports.ts';
import { readPrometheus } from '../../support/prometheus.ts';

const bytes = (text: string) => Buffer.from(text);

function stage() {
  const metrics = createMetrics();
  const skull = setUp({ metrics });
  const end = meterCharacter(skull.character, metrics);
  /** The values of the series whose names begin so, after the events of what has been done. */
  const seen = async (prefix: string): Promise<Record<string, number>> => {
    await new Promise(setImmediate);
    const all = [...readPrometheus(await metrics.render())].filter(([series]) => series.startsWith(prefix));
    return Object.fromEntries(all);
  };
  /** The same without those that are 0. */
  const shown = async (prefix: string): Promise<Record<string, number>> =>
    Object.fromEntries(Object.entries(await seen(prefix)).filter(([, value]) => value !== 0));
  return { ...skull, metrics, end, seen, shown };
}

describe("a skull's metrics", () => {
  it('follow its state, mode and emergency stop', async () => {
    const { send, clock, shown, seen } = stage();
    assert.equal(Object.keys(await seen('skull_state{')).length, 8);
    send('skull/mode', 'Accueil');
    send('vision/motion', { score: 1 });
    assert.deepEqual(await shown('skull_state'), { 'skull_state{state="Track"}': 1 });
    assert.deepEqual(await shown('skull_mode'), { 'skull_mode{mode="Accueil"}': 1 });
    clock.advance(1000);
    assert.deepEqual(await shown('skull_transitions'), {
      'skull_transitions_total{from="Idle",to="Track"}': 1,
      'skull_transitions_total{from="Track",to="Talk"}': 1,
    });
    assert.deepEqual(await seen('skull_estop'), { skull_estop: 0 });
    send('motion/estop', { active: true });
    assert.deepEqual(await seen('skull_estop'), { skull_estop: 1 });
    assert.deepEqual(await shown('skull_activities_total'), {
      'skull_activities_total{kind="greet",outcome="cancelled"}': 1,
    });
  });

  it('show what waits for the body, what has it and what made room', async () => {
    const { lane, seen, shown } = stage();
    const claim = (priority: 'LOW' | 'HIGH') => lane.claim({ kind: 'say', priority, args: { text: 'x' } });
    for (const priority of ['LOW', 'LOW', 'HIGH'] as const) claim(priority);
    assert.deepEqual(await shown('skull_queue'), { 'skull_queue_waiting{priority="LOW"}': 1 });
    assert.equal(Object.keys(await seen('skull_queue')).length, 5);
    assert.deepEqual(await seen('skull_activities_running'), { skull_activities_running: 1 });
    assert.deepEqual(await seen('skull_activities_paused'), { skull_activities_paused: 1 });
  });

  it('tell how its services and what it needs are', async () => {
    const { character, link, shown, seen } = stage();
    character.intake.read({ topic: 'asr/heartbeat', payload: bytes('x'), stored: false });
    assert.deepEqual(await shown('skull_service_up'), { 'skull_service_up{service="asr"}': 1 });
    const states = await shown('skull_service_state');
    assert.equal(states['skull_service_state{service="asr",state="alive"}'], 1);
    assert.equal(Object.keys(states).length, 6);
    assert.equal(Object.keys(await seen('skull_service_restarts_total')).length, 6);
    assert.deepEqual(await shown('skull_health'), { 'skull_health{status="healthy"}': 1 });
    assert.deepEqual(await seen('skull_check_up'), {
      'skull_check_up{check="mqtt"}': 1,
      'skull_check_up{check="statechart"}': 1,
      'skull_check_up{check="config"}': 1,
    });
    link.setConnected(false);
    assert.deepEqual(await shown('skull_health'), { 'skull_health{status="degraded"}': 1 });
    assert.equal((await seen('skull_check_up'))['skull_check_up{check="mqtt"}'], 0);
    assert.deepEqual(await seen('skull_build_info'), { 'skull_build_info{version="1.2.3"}': 1 });
  });

  it('count messages, and changes of the configuration', async () => {
    const { link, character, shown } = stage();
    Object.assign(link.traffic, { in: 5, out: 7, dropped: 1 });
    assert.deepEqual(await shown('skull_mqtt'), {
      'skull_mqtt_messages_total{direction="in"}': 5,
      'skull_mqtt_messages_total{direction="out"}': 7,
      skull_mqtt_messages_dropped_total: 1,
    });
    character.events.append({ kind: 'config', subject: 'gaze', cause: 'rest', data: {} });
    assert.deepEqual(await shown('skull_config'), { 'skull_config_changes_total{section="gaze"}': 1 });
    assert.equal((await shown('skull_events'))['skull_events_total{kind="config"}'], 1);
  });

  it('stay few, whatever comes in', async () => {
    const { character, seen, shown } = stage();
    const before = Object.keys(await seen('')).length;
    for (let n = 0; n < 1000; n++) {
      character.intake.drop(`odd/${n}`, 'odd');
      const data = { phase: 'ended', outcome: 'failed' };
      character.events.append({ kind: 'activity', subject: `kind-${n}`, cause: 'x', data });
      character.events.append({ kind: 'transition', subject: 'x', cause: 'x', data: { from: `s${n}`, to: `t${n}` } });
    }
    character.intake.drop('vision/motion', 'odd');
    const dropped = await shown('skull_mqtt_payloads');
    assert.equal(dropped['skull_mqtt_payloads_dropped_total{topic="(other)"}'], 1001);
    const kinds = await seen('skull_activities_total');
    assert.equal(kinds['skull_activities_total{kind="(other)",outcome="failed"}'], 980);
    assert.equal(Object.keys(kinds).length, 21);
    const moves = await seen('skull_transitions_total');
    assert.equal(moves['skull_transitions_total{from="(other)",to="(other)"}'], 975);
    assert.ok(Object.keys(await seen('')).length < before + 60);
  });

  it('show the states of any definition, not more than fifty by name', async () => {
    const { character, release, clock, shown, seen } = stage();
    release();
    assert.deepEqual(await seen('skull_state{'), {});
    const states = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`s${n}`, {}]));
    const definition: StatechartDefinition = {
      id: 'other',
      initial: 's55',
      context: {},
      states: { ...states, s1: { initial: 'in', states: { in: {} } } },
    };
    const chart = new Statechart(definition, { clock, random: countingRandom(), config: () => ({}) });
    character.embody(chart);
    chart.start();
    assert.equal(Object.keys(await seen('skull_state{')).length, 51);
    assert.equal((await seen('skull_state{'))['skull_state{state="s1.in"}'], 0);
    assert.deepEqual(await shown('skull_state{'), { 'skull_state{state="(other)"}': 1 });
  });

  it('end with it, but for what was counted, and go on with the next', async () => {
    const { character, metrics, send, end } = stage();
    send('skull/mode', 'IA');
    await new Promise(setImmediate);
    end();
    const left = [...readPrometheus(await metrics.render()).keys()].map((series) => series.replace(/\{.*/, ''));
    assert.deepEqual([...new Set(left)], ['skull_events_total', 'skull_config_changes_total']);
    character.events.append({ kind: 'run', subject: 'x', cause: 'x', data: {} });
    const next = setUp({ metrics });
    meterCharacter(next.character, metrics);
    next.send('skull/mode', 'IA');
    await new Promise(setImmediate);
    const samples = readPrometheus(await metrics.render());
    assert.equal(samples.get('skull_events_total{kind="transition"}'), 2);
    assert.equal(samples.get('skull_events_total{kind="run"}'), 0);
    assert.equal(samples.get('skull_mode{mode="IA"}'), 1);
  });

  it('are answered as text, and not found where nobody wants any', async () => {
    const { ask } = stage();
    assert.ok(readPrometheus(String(await ask('getMetrics'))).has('skull_estop'));
    await setUp().refused('getMetrics', 'not_found');
  });
});
