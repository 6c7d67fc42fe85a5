import type { NodeDef } from 'node-red';
import { messageOf, SkullError } from '../../core/model/errors.ts';
import type { Character } from '../../core/skull/character.ts';
import { checkDefinition } from '../../core/statechart/check.ts';
import type { StatechartDefinition } from '../../core/statechart/definition.ts';

export interface FsmDef extends NodeDef {
  character?: string;
  /** An object or its JSON text. */
  definition: unknown;
  /** Used where there is no character, and below the character's own. An object or its JSON text. */
  config?: unknown;
  stateTopic?: string;
}

type Config = Record<string, unknown>;

/** So many mistakes are named in one line. */
const TOLD = 5;

/** The node's definition, or a SkullError `definition_invalid` that names each place. */
export function definitionOf(def: FsmDef): StatechartDefinition {
  const { definition, issues } = checkDefinition(def.definition);
  if (definition !== undefined) return definition;
  const title = `skull-fsm ${def.name || def.id}`;
  const more = issues.length > TOLD ? ` (and ${issues.length - TOLD} more)` : '';
  const places = issues.slice(0, TOLD).map(({ path, message }) => `${path || '/'}: ${message}`);
  throw new SkullError('definition_invalid', `${title}: ${places.join('; ')}${more}`, { issues });
}

/** What the expressions see as `config`; the same object for as long as the character's config is the same. */
export function configOf(def: FsmDef, character: Character | undefined): () => Config {
  const own = ownConfig(def);
  if (character === undefined) return () => own;
  let from: unknown;
  let merged: Config = own;
  return () => {
    const shared = character.config.all();
    if (shared !== from) {
      from = shared;
      merged = { ...own, ...shared };
    }
    return merged;
  };
}

function ownConfig({ name, id, config }: FsmDef): Config {
  if (config === undefined || config === '') return {};
  let value: unknown = config;
  try {
    if (typeof config === 'string') value = JSON.parse(config);
  } catch (error) {
    throw new SkullError('invalid', `skull-fsm ${name || id}: the config is not JSON: ${messageOf(error)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new SkullError('invalid', `skull-fsm ${name || id}: the config must be a JSON object`);
}
