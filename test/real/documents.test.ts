import assert from 'node:assert/strict';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { type RestServer, startRestServer } from '../support/rest-server-process.ts';

const SONG = path.resolve(import.meta.dirname, '../fixtures/tones.mp3');
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

describe('the documents of the API in a browser', function () {
  this.timeout(60_000);
  let server: RestServer;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  before(async function () {
    browser = await launchChromium(this);
    server = await startRestServer({ API_KEY: 'boss', HOST: '127.0.0.1' });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function open(place: string, options: BrowserContextOptions = {}): Promise<void> {
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(server.base) && !/^(data|blob):/.test(url)) faults.push(`asks ${url}`);
    });
    page.on(
      'response',
      (response) => response.status() >= 400 && faults.push(`${response.status()} ${response.url()}`),
    );
    await page.goto(server.base + place, { waitUntil: 'networkidle' });
  }
  beforeEach(() => {
    faults.length = 0;
  });
  afterEach(async () => {
    await page.close();
    assert.deepEqual(faults, []);
  });

  async function authorise(): Promise<void> {
    await page.click('.auth-wrapper .authorize');
    await page.fill('#api_key_value', 'boss');
    await page.click('.modal-ux .authorize >> nth=0');
    await page.click('.modal-ux .btn-done');
  }
  const unfold = (operation: string) => page.click(`#operations-${operation} .opblock-summary-control`);
  /** Presses the button; the text of the live answer, its status first. */
  async function execute(operation: string): Promise<string> {
    await page.click(`#operations-${operation} .execute`);
    return page.locator(`#operations-${operation} .live-responses-table .response`).innerText();
  }
  const overflow = () => page.evaluate('document.documentElement.scrollWidth - innerWidth');

  it('/ shows Swagger UI, where operations are tried with a key: one that reads and one that writes', async () => {
    await open('/');
    assert.equal(page.url(), `${server.base}/docs`);
    assert.equal(await page.title(), 'Skull Orchestrator API');
    await authorise();
    await unfold('Skull-setMode');
    assert.match(await execute('Skull-setMode'), /^200[\s\S]*"mode": "Accueil"/);
    await unfold('Skull-getMode');
    assert.match(await execute('Skull-getMode'), /^200[\s\S]*"mode": "Accueil"/);
  });

  it('a song is uploaded from Swagger UI', async () => {
    await open('/docs');
    await authorise();
    await unfold('Songs-uploadSong');
    await page.setInputFiles('#operations-Songs-uploadSong input[type=file]', SONG);
    assert.match(await execute('Songs-uploadSong'), /^200[\s\S]*"name": "tones"/);
  });

  it('without a key Swagger UI shows why it is refused', async () => {
    await open('/docs');
    await unfold('Skull-getMode');
    assert.match(await execute('Skull-getMode'), /^401[\s\S]*"API key needed"/);
    assert.ok(faults.splice(0).every((fault) => fault.includes('401')));
  });

  it('Swagger UI shows the tags in their order, and schemas only when asked', async () => {
    await open('/docs');
    await page.waitForSelector('.opblock-tag');
    const tags = await page.locator('.opblock-tag').evaluateAll((all) => all.map((tag) => tag.dataset.tag));
    assert.deepEqual(tags, 'Service Skull Services Configuration Servos Songs AI FullAuto Tasks Events'.split(' '));
    assert.equal(await page.locator('section.models.is-open').count(), 0);
    assert.equal(await page.getAttribute('.info a:has-text("asyncapi.json")', 'href'), '/asyncapi.json');
  });

  for (const place of ['/docs', '/redoc']) {
    it(`${place} fits a phone`, async () => {
      await open(place, PHONE);
      assert.equal(await overflow(), 0);
      if (place === '/docs') await unfold('Songs-uploadSong');
      assert.equal(await overflow(), 0);
    });

    it(`${place} can be read in the dark`, async () => {
      await open(place, { colorScheme: 'dark' });
      const selector = place === '/docs' ? '.info p' : '.redoc-wrap p';
      await page.waitForSelector(selector);
      const contrast = await page.locator(selector).first().evaluate(contrastOf);
      assert.ok(contrast > 4.5, `contrast ${contrast}`);
    });
  }

  it('/redoc shows the same document', async () => {
    await open('/redoc');
    await page.waitForSelector('h1:has-text("Skull Orchestrator")');
    await page.waitForSelector('h2:has-text("Emergency stop")');
    assert.equal(await page.title(), 'Skull Orchestrator API');
  });
});

/** The contrast of a text to what it stands on, as WCAG reckons it. Runs in the page. */
function contrastOf(element: Element): number {
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = channels(color).map((part) =>
      part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let ground: Element | null = element;
  while (ground !== null && (channels(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0)
    ground = ground.parentElement;
  const back = luminance(ground === null ? 'rgb(255, 255, 255)' : getComputedStyle(ground).backgroundColor);
  const front = luminance(getComputedStyle(element).color);
  return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
}
