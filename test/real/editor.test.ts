import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { type StockNodeRed, startStockNodeRed } from '../support/stock-node-red.ts';

const root = path.resolve(import.meta.dirname, '../..');
const shots = process.env.SCREENSHOTS ?? path.join(tmpdir(), 'skull-editor-screenshots');

interface FlowNode {
  id: string;
  type: string;
  definition?: { initial: string; states: object };
  [property: string]: unknown;
}

const flowFile = (name: string) => JSON.parse(readFileSync(path.join(root, 'flows', name), 'utf8')) as FlowNode[];

/** The skull's own flow with another broker, and beside it one of each other node and a statechart that is broken. */
function flowsFor(brokerPort: number): FlowNode[] {
  const skull = flowFile('010-skull.json');
  const character = flowFile('_global.json').map((node) => ({ ...node, url: `mqtt://127.0.0.1:${brokerPort}` }));
  const definition = skull.find(({ type }) => type === 'skull-fsm')?.definition;
  assert.ok(definition);
  const more: FlowNode[] = [
    { id: 'more', type: 'tab', label: 'More' },
    {
      id: 'broken',
      type: 'skull-fsm',
      z: 'more',
      name: 'broken',
      character: '',
      stateTopic: '',
      config: {},
      definition: { ...definition, initial: 'Nowhere' },
      x: 200,
      y: 100,
      wires: [[], [], []],
    },
    {
      id: 'operation',
      type: 'skull-operation',
      z: 'more',
      name: '',
      character: 'skull',
      operation: 'getStatus',
      x: 200,
      y: 200,
      wires: [[], []],
    },
  ];
  return [...skull, ...character, ...more];
}

describe('the editor', function () {
  this.timeout(120_000);
  let userDir: string;
  let broker: Aedes;
  let server: Server;
  let client: mqtt.MqttClient;
  let nodeRed: StockNodeRed;
  let browser: Browser;
  let page: Page;
  const contexts = new Map<string, BrowserContext>();
  const faults: string[] = [];

  before(async function () {
    browser = await launchChromium(this);
    userDir = mkdtempSync(path.join(tmpdir(), 'skull-editor-'));
    broker = await Aedes.createBroker();
    server = createServer({ noDelay: true }, broker.handle).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
    nodeRed = await startStockNodeRed({ userDir, nodesDir: root, flows: flowsFor(port) });
    mkdirSync(shots, { recursive: true });
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
    await client?.endAsync(true);
    if (broker) await new Promise<void>((resolve) => broker.close(resolve));
    server?.close();
    if (userDir) rmSync(userDir, { recursive: true, force: true });
  });

  /** A fresh page; pages of one theme and language share what the browser has cached. */
  async function open({ theme = 'light', locale = 'en-US' } = {}): Promise<void> {
    const kind = `${theme} ${locale}`;
    let context = contexts.get(kind);
    if (context === undefined) {
      context = await browser.newContext({ viewport: { width: 1500, height: 900 }, locale });
      await context.addInitScript(`localStorage.setItem('view-dark-theme', '${theme}')`);
      contexts.set(kind, context);
    }
    page = await context.newPage();
    page.setDefaultTimeout(30_000);
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(nodeRed.url, { waitUntil: 'domcontentloaded' });
    await page.locator('#skull-body').waitFor();
    await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
  }

  afterEach(async () => {
    await page?.close();
    assert.deepEqual(faults.splice(0), [], 'errors in the page');
  });

  const shot = (name: string) => page.screenshot({ path: path.join(shots, `${name}.png`) });
  const openDialog = async (id: string) => {
    await page.locator(`#${id}`).dblclick();
    await page.locator('#dialog-form').waitFor();
    // The tray slides in; what is clicked before it stands still would be missed.
    await page.waitForFunction('document.querySelector(".red-ui-tray")?.getAnimations().length === 0');
  };
  const openChart = async () => {
    await openDialog('skull-body');
    await page.locator('#node-input-fsm-diagram svg').waitFor();
  };
  const done = async () => {
    await page.locator('#node-dialog-ok').click();
    await page.locator('#dialog-form').waitFor({ state: 'detached' });
  };
  const current = () => page.locator('#node-input-fsm-diagram .skull-fsm-current');
  const waitForState = (state: string) =>
    page.locator(`#node-input-fsm-diagram .skull-fsm-current[data-skull-state="${state}"]`).waitFor();
  const issues = () => page.locator('#node-input-fsm-issues button');
  /** Runs in the page, with the dialog's code editor as `code` and its text as `model`. */
  const inCode = (expression: string) =>
    page.evaluate(`(() => {
      const host = document.querySelector('#node-input-definition-editor');
      const code = monaco.editor.getEditors().find((each) => host.contains(each.getContainerDomNode()));
      const model = code.getModel();
      return ${expression};
    })()`);
  const cursorLine = () => inCode('code.getPosition().lineNumber');
  const lineOf = (text: string) =>
    inCode(
      `model.findNextMatch(${JSON.stringify(text)}, { lineNumber: 1, column: 1 }, false, true).range.startLineNumber`,
    );
  /** Replaces the first such text in the definition. Returns its line. */
  const replaceInText = async (from: string, to: string) => {
    const line = await lineOf(from);
    await inCode(`(() => {
      const { range } = model.findNextMatch(${JSON.stringify(from)}, { lineNumber: 1, column: 1 }, false, true);
      code.executeEdits('test', [{ range, text: ${JSON.stringify(to)} }]);
    })()`);
    return line;
  };

  it('has the nodes in the palette, in a category of their own', async () => {
    await open();
    const nodes = page.locator('#red-ui-palette-base-category-skull .red-ui-palette-node');
    await nodes.first().scrollIntoViewIfNeeded();
    const types = await nodes.evaluateAll((all) => all.map((node) => node.getAttribute('data-palette-type')));
    assert.deepEqual(types.sort(), [
      'skull-command',
      'skull-config-sync',
      'skull-event',
      'skull-fsm',
      'skull-fullauto',
      'skull-jaw',
      'skull-operation',
      'skull-priority',
      'skull-signal',
    ]);
    await shot('palette-light');
  });

  it('shows the triangle at a node whose definition is broken, and only there', async () => {
    await open();
    assert.equal(await page.locator('#skull-body .red-ui-flow-node-error').isVisible(), false);
    await page.locator('#red-ui-workspace-tabs').getByText('More').click();
    await page.locator('#broken .red-ui-flow-node-error').waitFor({ state: 'visible' });
    assert.equal(await page.locator('#operation .red-ui-flow-node-error').isVisible(), false);
    await shot('triangle-light');
  });

  it('draws the statechart beside its text and marks where the machine stands', async () => {
    await open();
    await openChart();
    await waitForState('Idle');
    const states = await page
      .locator('#node-input-fsm-diagram [data-skull-state]')
      .evaluateAll((all) => all.map((state) => state.getAttribute('data-skull-state')));
    assert.deepEqual(states.sort(), ['Idle', 'Listen', 'Sing', 'Sleep', 'Speak', 'Talk', 'Think', 'Track']);
    assert.equal(await current().count(), 1);
    assert.match(String(await page.locator('#node-input-fsm-live').textContent()), /Idle/);
    await shot('chart-light');
    const handle = await page.locator('.red-ui-tray-resize-handle').last().boundingBox();
    assert.ok(handle);
    await page.mouse.move(handle.x + 2, handle.y + 300);
    await page.mouse.down();
    await page.mouse.move(handle.x - 500, handle.y + 300, { steps: 5 });
    await page.mouse.up();
    await shot('chart-wide-light');
    await page.locator('#node-input-fsm-diagram [data-skull-state="Idle"]').click();
    assert.equal(await cursorLine(), await lineOf('"Idle": {'));
  });

  it('shows a fault of the JSON and a fault of the statechart at their lines, as they are typed', async () => {
    await open();
    await openChart();
    await page.locator('#node-input-definition-editor .monaco-editor').click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('x');
    await issues().first().waitFor();
    const last = await inCode('model.getLineCount()');
    assert.match(String(await issues().textContent()), new RegExp(`line ${last}\\s*“x” stands after the end`));
    await page.keyboard.press('Backspace');
    await issues().waitFor({ state: 'detached' });

    const line = await replaceInText('"target": "Talk"', '"target": "Tolk"');
    await issues().first().waitFor();
    assert.match(
      String(await issues().textContent()),
      new RegExp(`line ${line}\\s*there is no state "Tolk"\\s*/on/activity~1resume/1/target`),
    );
    await shot('issue-light');
    await page.keyboard.press('Control+Home');
    await issues().first().click();
    assert.equal(await cursorLine(), line);
    await replaceInText('"target": "Tolk"', '"target": "Talk"');
    await issues().waitFor({ state: 'detached' });
  });

  it('keeps what is not JSON as it was typed, with the triangle, until it is mended', async () => {
    await open();
    await openChart();
    await replaceInText('"id": "skull",', '"id" "skull",');
    await issues().first().waitFor();
    await done();
    await page.locator('#skull-body .red-ui-flow-node-error').waitFor({ state: 'visible' });
    await openDialog('skull-body');
    await replaceInText('"id" "skull",', '"id": "skull",');
    await page.locator('#node-input-fsm-diagram svg').waitFor();
    await done();
    await page.locator('#skull-body .red-ui-flow-node-error').waitFor({ state: 'hidden' });
  });

  it('moves the mark and the node status with the deployed machine', async () => {
    await open();
    await openChart();
    await replaceInText('"description": "', '"description": "Edited. ');
    await done();
    await page.locator('#red-ui-header-button-deploy:not(.disabled)').click();
    // Node-RED itself warns of what is broken, here the node on the other tab.
    await page.locator('.red-ui-deploy-dialog-confirm-list', { hasText: '[More] broken (skull-fsm)' }).waitFor();
    await page.locator('#red-ui-deploy-dialog-confirm-deploy-deploy').click();
    await page.locator('#red-ui-header-button-deploy.disabled').waitFor();
    await openChart();
    await waitForState('Idle');
    await client.publishAsync('skull/mode', 'Accueil');
    await client.publishAsync('vision/motion', '{"score":0.9}');
    await waitForState('Talk');
    assert.equal(await current().count(), 1);
    assert.match(String(await page.locator('#node-input-fsm-live').textContent()), /Talk/);
    await page.locator('#skull-body .red-ui-flow-node-status-label', { hasText: 'Talk' }).waitFor();
    await shot('live-light');
    await client.publishAsync('motion/estop', 'on');
    await waitForState('Idle');
  });

  it('is drawn for the dark theme too, and drawn again when the theme changes', async () => {
    await open({ theme: 'dark' });
    await page.locator('#red-ui-palette-base-category-skull .red-ui-palette-node').first().scrollIntoViewIfNeeded();
    await openChart();
    await waitForState('Idle');
    await shot('chart-dark');
    await page.evaluate(
      `document.documentElement.classList.remove('nr-theme-dark'); RED.editor.mermaid.setTheme(false)`,
    );
    await page.locator('#node-input-fsm-diagram svg').waitFor();
    await waitForState('Idle');
  });

  it('offers the operations of the runtime by path', async () => {
    await open();
    await page.locator('#red-ui-workspace-tabs').getByText('More').click();
    await openDialog('operation');
    const select = page.locator('#node-input-operation');
    await select.locator('optgroup[label="/status"]').waitFor({ state: 'attached' });
    assert.equal(await select.inputValue(), 'getStatus');
    await select.selectOption('setEstop');
    await shot('operation-light');
    await done();
    await page.locator('#operation', { hasText: 'setEstop' }).waitFor();
  });

  it('edits a list of topics and says which is none', async () => {
    await open();
    await openDialog('skull-signals-in');
    const topics = page.locator('.node-input-topic');
    assert.equal(await topics.count(), 7);
    await topics.last().fill('voice/#/state');
    await page.locator('.node-input-topic.input-error').waitFor();
    await shot('signal-light');
    await done();
    await page.locator('#skull-signals-in .red-ui-flow-node-error').waitFor({ state: 'visible' });
  });

  it('speaks French, and explains itself in the help', async () => {
    await open({ locale: 'fr-FR' });
    await page.locator('#skull-signals-in', { hasText: 'connecté' }).waitFor();
    await page.evaluate(`RED.sidebar.help.show('skull-fsm', true)`);
    await page.locator('.red-ui-help', { hasText: 'Une porte qui se ferme seule' }).first().waitFor();
    await shot('help-french');
    await openDialog('skull-body');
    await page.locator('#node-input-fsm-issues', { hasText: 'La définition est correcte.' }).waitFor();
  });
});
