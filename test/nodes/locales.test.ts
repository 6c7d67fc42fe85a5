import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { operationOf } from '../../core/skull/operations/index.ts';
import { checkDefinition } from '../../core/statechart/check.ts';
import { SAMPLE } from '../../resources/fsm-sample.js';

const root = path.resolve(import.meta.dirname, '../..');
const read = (...names: string[]) => readFileSync(path.join(root, ...names), 'utf8');
const folders = readdirSync(path.join(root, 'nodes'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const HELP = {
  'en-US': ['Inputs', 'Outputs', 'Details'],
  fr: ['Entrées', 'Sorties', 'Détails'],
} as const;

type Catalogue = { [key: string]: string | Catalogue };

function flat(catalogue: Catalogue, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(catalogue).flatMap(([key, value]) =>
      typeof value === 'string' ? [[prefix + key, value] as const] : [...flat(value, `${prefix}${key}.`)],
    ),
  );
}

const catalogueOf = (node: string, language: string) =>
  flat(JSON.parse(read('nodes', node, 'locales', language, `${node}.json`)) as Catalogue);

const placeholders = (text: string) => (text.match(/__\w+__/g) ?? []).sort();

/** All that is said of a node in code: its folder, and for skull-fsm what its dialog is made of. */
function sourcesOf(node: string): string {
  const files = readdirSync(path.join(root, 'nodes', node)).filter((name) => /\.(ts|html)$/.test(name));
  const texts = files.map((name) => read('nodes', node, name));
  if (node === 'skull-fsm') {
    for (const name of readdirSync(path.join(root, 'resources'))) {
      if (name.endsWith('.js')) texts.push(read('resources', name));
    }
  }
  return texts.join('\n');
}

/** Keys named in full, and patterns for those that are put together, as in `json.${code}` or `text('ready', …)`. */
function keysIn(source: string, node: string): { keys: Set<string>; patterns: RegExp[] } {
  const keys = new Set(
    source.match(new RegExp(`(?<![\\w/.-])${node}\\.(?:[\\w-]+\\.)*[\\w-]+(?![\\w-]*[.$/\\w-])`, 'g')),
  );
  for (const [, key] of source.matchAll(/#_\('([\w.-]+)'/g)) keys.add(`${node}.${key}`);
  for (const ending of ['.js', '.ts', '.svg', '.html', '.read']) {
    for (const key of keys) if (key.endsWith(ending)) keys.delete(key);
  }
  // A key that is chosen before it is looked up, as in `const key = … ? 'live.none' : …`.
  for (const [, key] of source.matchAll(/'(live\.[\w-]+)'/g)) keys.add(`${node}.${key}`);
  const patterns = [...source.matchAll(/[`']((?:[\w-]+\.)+)\$\{/g)]
    .filter(([, prefix]) => prefix !== `${node}.`)
    .map(([, prefix = '']) => new RegExp(`^(?:${node}\\.)?${prefix.replaceAll('.', '\\.')}`));
  return { keys, patterns };
}

interface FlowNode {
  type: string;
  definition?: unknown;
  operation?: string;
}

const examples = readdirSync(path.join(root, 'examples')).map((file) => ({
  file,
  nodes: JSON.parse(read('examples', file)) as FlowNode[],
}));

describe('the editor side of the nodes', () => {
  it('has a folder for each node of the package, and the other way round', () => {
    const pack = JSON.parse(read('package.json')) as { 'node-red': { nodes: Record<string, string> } };
    const expected = Object.fromEntries(folders.map((name) => [name, `dist/nodes/${name}/${name}.js`]));
    assert.deepEqual(pack['node-red'].nodes, expected);
  });

  for (const node of folders) {
    describe(node, () => {
      const english = catalogueOf(node, 'en-US');
      const french = catalogueOf(node, 'fr');

      it('says the same in both languages', () => {
        assert.deepEqual([...french.keys()], [...english.keys()]);
        for (const [key, text] of english) {
          assert.notEqual(text, '', key);
          assert.deepEqual(placeholders(french.get(key) ?? ''), placeholders(text), key);
        }
      });

      it('has a text for each key that its code uses, and no other', () => {
        const source = sourcesOf(node);
        const { keys, patterns } = keysIn(source, node);
        assert.deepEqual(
          [...keys].filter((key) => !english.has(key)),
          [],
          'missing',
        );
        const unused = [...english.keys()].filter(
          (key) => !keys.has(key) && !patterns.some((pattern) => pattern.test(key)),
        );
        assert.deepEqual(unused, [], 'unused');
      });

      for (const [language, sections] of Object.entries(HELP)) {
        it(`has help in ${language} with ${sections.join(', ')}`, () => {
          const help = read('nodes', node, 'locales', language, `${node}.html`);
          const opening = `<script type="text/html" data-help-name="${node}">`;
          assert.ok(help.startsWith(`${opening}\n  <p>`), 'begins with the paragraph that is the tooltip');
          const at = sections.map((title) => help.indexOf(`<h3>${title}</h3>`));
          assert.ok(
            at.every((place, index) => place > (at[index - 1] ?? 0)),
            `sections at ${at}`,
          );
        });
      }

      it('has help that fits the sidebar, where code is not wrapped', () => {
        for (const language of Object.keys(HELP)) {
          const help = read('nodes', node, 'locales', language, `${node}.html`);
          const wide = [...help.matchAll(/<code>(.*?)<\/code>/gs)].flatMap(([, code = '']) =>
            code.replaceAll(/&\w+;/g, '.').length > 32 ? code : [],
          );
          assert.deepEqual(wide, [], language);
        }
      });

      it('has an icon, which its type names', () => {
        const icon = read('nodes', node, 'icons', `${node}.svg`);
        assert.match(icon, /^<svg [^>]*width="40" height="60" viewBox="0 0 40 60">/);
        assert.ok(sourcesOf(node).includes(`icon: '${node}.svg'`));
      });

      it('is in an example named after it', () => {
        const words = node.replaceAll('-', ' ');
        const named = examples.find(({ file }) => file.endsWith(`(${words}).json`));
        assert.ok(
          named?.nodes.some(({ type }) => type === node),
          `examples/… (${words}).json`,
        );
      });

      it('has its editor file where the package expects it', () => {
        assert.ok(existsSync(path.join(root, 'nodes', node, `${node}.html`)));
        assert.match(read('nodes', node, `${node}.html`), new RegExp(`data-template-name="${node}"`));
      });
    });
  }

  it('shows only definitions that are sound: in a new node, the examples and the help', () => {
    const inExamples = examples.flatMap(({ nodes }) => nodes.flatMap(({ definition }) => definition ?? []));
    const inHelp = Object.keys(HELP).map((language): unknown => {
      const help = read('nodes/skull-fsm/locales', language, 'skull-fsm.html');
      return JSON.parse(/<pre[^>]*>(.*?)<\/pre>/s.exec(help)?.[1] ?? '');
    });
    assert.ok(inExamples.length > 0);
    for (const definition of [SAMPLE, ...inExamples, ...inHelp]) {
      const { issues, warnings } = checkDefinition(structuredClone(definition));
      assert.deepEqual({ issues, warnings }, { issues: [], warnings: [] });
    }
  });

  it('names operations that exist', () => {
    const named = examples.flatMap(({ nodes }) => nodes.flatMap(({ operation }) => operation ?? []));
    assert.ok(named.length > 0);
    for (const id of named) assert.ok(operationOf(id), id);
  });

  it('shows what a stock Node-RED has: nodes of its own and ours, wired to what is there', () => {
    for (const { file, nodes } of examples) {
      const ids = new Set(nodes.map((node) => ('id' in node ? node.id : '')));
      for (const node of nodes) {
        assert.match(node.type, /^(skull-[\w-]+|inject|debug|comment|change|delay|http in|http response)$/, file);
        const { wires = [], character } = node as { wires?: string[][]; character?: string };
        for (const target of [...wires.flat(), ...(character ? [character] : [])]) assert.ok(ids.has(target), file);
      }
    }
  });
});
