import { byPlace, type FlowFile, type FlowNode, GLOBAL_FILE, numberOf } from './files.ts';

const isContainer = (node: FlowNode): boolean => node.type === 'tab' || node.type === 'subflow';
const byId = (a: FlowNode, b: FlowNode): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The same value with its keys in the order that `known` has them in; keys that it does not have follow. */
function inOrderOf<T>(known: unknown, value: T): T {
  if (Array.isArray(value)) {
    const order: unknown[] = Array.isArray(known) ? known : [];
    return value.map((item, at) => inOrderOf(order[at], item)) as T;
  }
  if (!isRecord(value)) return value;
  const order = isRecord(known) ? known : {};
  const kept = Object.keys(order).filter((key) => Object.hasOwn(value, key));
  const added = Object.keys(value).filter((key) => !Object.hasOwn(order, key));
  return Object.fromEntries([...kept, ...added].map((key) => [key, inOrderOf(order[key], value[key])])) as T;
}

/** Nodes that were there stay in their places; a new one goes before the first that its id precedes. */
function arrangeNodes(known: readonly FlowNode[], nodes: readonly FlowNode[]): FlowNode[] {
  const coming = new Map(nodes.map((node) => [node.id, node]));
  const arranged: FlowNode[] = [];
  for (const old of known) {
    const node = coming.get(old.id);
    if (node !== undefined) arranged.push(inOrderOf(old, node));
    coming.delete(old.id);
  }
  for (const node of [...coming.values()].sort(byId)) {
    const at = arranged.findIndex((other) => !isContainer(other) && byId(node, other) < 0);
    if (isContainer(node)) arranged.unshift(node);
    else arranged.splice(at < 0 ? arranged.length : at, 0, node);
  }
  return arranged;
}

const titleOf = (node: FlowNode): string => {
  const title = node.label || node.name || node.id;
  return String(title)
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
};

const numbered = (number: number, title: string): string => `${String(number).padStart(3, '0')}-${title || 'tab'}.json`;
const withoutNumber = (name: string): string => name.replace(/^\d*-?/, '').replace(/\.json$/, '');

/** A name for each tab such that the names' order is the tabs' order; those that can stay do. */
function nameTabs(tabs: readonly FlowNode[], known: ReadonlyMap<string, string>): string[] {
  const names: string[] = [];
  for (const [at, tab] of tabs.entries()) {
    const before = names[at - 1];
    const name = known.get(tab.id);
    if (name !== undefined && (before === undefined || byPlace(before, name) < 0)) {
      names.push(name);
      continue;
    }
    const next = tabs.slice(at + 1).find((other) => known.has(other.id));
    const low = before === undefined ? 0 : numberOf(before);
    const high = next === undefined ? low + 20 : numberOf(known.get(next.id) ?? '');
    const number = Math.min(low + 10, Math.floor((low + high) / 2));
    if (name !== undefined || number <= low || number >= high) return renumber(tabs, known);
    names.push(numbered(number, titleOf(tab)));
  }
  return names;
}

function renumber(tabs: readonly FlowNode[], known: ReadonlyMap<string, string>): string[] {
  return tabs.map((tab, at) => {
    const name = known.get(tab.id);
    return numbered((at + 1) * 10, name === undefined ? titleOf(tab) : withoutNumber(name));
  });
}

/**
 * Spreads the editor's list of nodes over files: one per tab and subflow, and one for what is on none. Tabs and
 * subflows keep the files that they have; nodes and their keys keep their order, so that a change is a small diff.
 */
export function arrange(files: readonly FlowFile[], flows: readonly FlowNode[]): Map<string, FlowNode[]> {
  const knownName = new Map(
    files.flatMap((file) => file.nodes.filter(isContainer).map((node) => [node.id, file.name])),
  );
  const knownNodes = new Map(files.map((file) => [file.name, file.nodes]));
  const tabs = flows.filter((node) => node.type === 'tab');
  const subflows = flows.filter((node) => node.type === 'subflow');
  const names = new Map<string, string>();
  for (const [at, name] of nameTabs(tabs, knownName).entries()) names.set(tabs[at]?.id ?? '', name);
  for (const flow of subflows) names.set(flow.id, knownName.get(flow.id) ?? `subflow-${titleOf(flow)}-${flow.id}.json`);

  const spread = new Map<string, FlowNode[]>();
  for (const node of flows) {
    const name = names.get(isContainer(node) ? node.id : (node.z ?? '')) ?? GLOBAL_FILE;
    const nodes = spread.get(name);
    if (nodes === undefined) spread.set(name, [node]);
    else nodes.push(node);
  }
  const arranged = [...spread].map(([name, nodes]): [string, FlowNode[]] => {
    const old = name === GLOBAL_FILE ? name : knownName.get(nodes.find(isContainer)?.id ?? '');
    return [name, arrangeNodes(knownNodes.get(old ?? '') ?? [], nodes)];
  });
  return new Map(arranged.sort(([a], [b]) => byPlace(a, b)));
}
