import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { messageOf, SkullError } from '../../core/model/errors.ts';
import type { Character } from '../../core/skull/character.ts';
import { sameJson } from '../../core/skull/config/json.ts';
import { type Config, isSectionName, SECTION_NAMES, type SectionName } from '../../core/skull/config/sections.ts';
import type { ConfigChange } from '../../core/skull/config/store.ts';
import { characterOf } from '../ports.ts';

const PREFIX = 'skull/config/';

interface SyncDef extends NodeDef {
  character: string;
}

interface SectionMessage extends NodeMessageInFlow {
  /** The broker had it before we came. */
  stored?: unknown;
  /** Whether the publisher asked the broker to keep it; undefined where nobody knows. */
  retain?: unknown;
}

type Publication = { topic: string; payload: unknown; retain: true; qos: 1 };

const publication = (topic: string, payload: unknown): Publication => ({ topic, payload, retain: true, qos: 1 });

/** The configuration's MQTT door: sections that come in are put in place, changes through any door go out. */
export default function skullConfigSync(RED: NodeAPI): void {
  function create(this: Node, def: SyncDef): void {
    RED.nodes.createNode(this, def);
    const character = characterOf(RED, def.character);
    if (character === undefined) {
      this.status({ fill: 'red', shape: 'ring', text: 'skull-config-sync.status.no-character' });
      return;
    }
    const { config } = character;
    const publish = (messages: readonly Publication[]) => {
      if (messages.length > 0) this.send([[...messages], null]);
    };
    let last: { section: string; source: string } | undefined;
    const showStatus = () => {
      const count = config.problems().length;
      if (count > 0) this.status({ fill: 'yellow', shape: 'ring', text: text('problems', { count }) });
      else if (last !== undefined) this.status({ fill: 'green', shape: 'dot', text: text('changed', last) });
      else this.status({ fill: 'green', shape: 'dot', text: text('ready', { count: SECTION_NAMES.length }) });
    };
    const text = (key: string, values: Record<string, string | number>) =>
      RED._(`skull-config-sync.status.${key}`, values);

    // Nodes may be made before those they are wired to: what is sent once at start waits for all of them.
    const announce = () =>
      publish([...SECTION_NAMES.map((section) => ofSection(config.all(), section)), ...derived(config.all())]);
    RED.events.once('flows:started', announce);

    const endChanges = config.onChange((change) => {
      const { section, value, source } = change;
      last = { section, source };
      showStatus();
      character.events.append({ kind: 'config', subject: section, cause: source, data: changedKeys(change) });
      const messages = derivedChange(change);
      if (source !== 'mqtt') messages.unshift(ofSection(config.all(), section));
      this.send([messages, { topic: 'config', payload: { section, value: structuredClone(value), source } }]);
    });
    const endProblems = config.onProblems(showStatus);
    showStatus();

    this.on('input', (msg: SectionMessage, _send, done) => {
      try {
        publish(take(character, msg));
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error(messageOf(error)));
      }
    });
    this.on('close', () => {
      RED.events.off('flows:started', announce);
      endChanges();
      endProblems();
      this.status({});
    });
  }
  RED.nodes.registerType('skull-config-sync', create as never);
}

/**
 * Takes a section that came from the broker. Returns what must be published for the broker to hold the section that
 * holds here. Throws where the message is not one about the configuration.
 */
function take({ config, intake, log }: Character, { topic, payload, stored, retain }: SectionMessage): Publication[] {
  if (typeof topic !== 'string' || !topic.startsWith(PREFIX))
    throw new SkullError('invalid', `Expected a topic ${PREFIX}<section>, not ${JSON.stringify(topic ?? '')}.`);
  const section = topic.slice(PREFIX.length);
  if (!isSectionName(section)) {
    intake.drop(topic, 'no such section');
    return [];
  }
  const ours = config.get(section);
  if (stored === true) {
    if (sameJson(payload, ours)) return [];
    const file = config.keepRetained(section, payload);
    const msg = `the broker held another ${section}: ours holds, the other is kept as ${file}`;
    log.warn({ kind: 'config', msg, section, file });
    return [ofSection(config.all(), section)];
  }
  try {
    const now = config.replace(section, payload, 'mqtt');
    const brokerIsRight = sameJson(payload, now) && (retain !== false || now === ours);
    return brokerIsRight ? [] : [ofSection(config.all(), section)];
  } catch (error) {
    if (!(error instanceof SkullError)) throw error;
    intake.drop(topic, error.message);
    return [ofSection(config.all(), section)];
  }
}

// Messages carry copies: what a flow does to them must not reach the store, whose sections are frozen.
function ofSection(config: Config, section: SectionName): Publication {
  return publication(`${PREFIX}${section}`, structuredClone(config[section]));
}

const limitsTopic = (servo: string) => `motion/servo/${servo}/limits`;

/** What services are told that comes from the configuration. */
function derived({ motion, ia }: Config): Publication[] {
  const limits = Object.entries(motion.servos).map(([servo, its]) => publication(limitsTopic(servo), { ...its }));
  return [...limits, publication('ai/config', { ...ia })];
}

function derivedChange({ section, value, previous }: ConfigChange): Publication[] {
  if (section === 'ia') return [publication('ai/config', { ...value })];
  if (section !== 'motion') return [];
  const { servos } = value as Config['motion'];
  const { servos: before } = previous as Config['motion'];
  const messages: Publication[] = [];
  for (const [servo, limits] of Object.entries(servos))
    if (!Object.hasOwn(before, servo) || !sameJson(limits, before[servo]))
      messages.push(publication(limitsTopic(servo), { ...limits }));
  // An empty retained message takes the old one from the broker.
  for (const servo of Object.keys(before))
    if (!Object.hasOwn(servos, servo)) messages.push(publication(limitsTopic(servo), ''));
  return messages;
}

function changedKeys({ value, previous }: ConfigChange): Record<string, unknown> {
  const before = new Map<string, unknown>(Object.entries(previous));
  return Object.fromEntries(Object.entries(value).filter(([key, its]) => !sameJson(its, before.get(key))));
}
