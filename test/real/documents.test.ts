import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Browser, Page } from 'playwright-core';
import { readEnvironment } from '../../runtime/env.ts';
import { createHttpApp } from '../../runtime/http/app.ts';
import { launchChromium } from '../support/chromium.ts';
import { keepingLog } from '../support/ports.ts';

describe('the documents of the API in a browser', function () {
  this.timeout(60_000);
  let server: Server;
  let base: string;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  before(async function () {
    browser = await launchChromium(this);
    const redHttpNode = express();
    redHttpNode.get('/mode', (_req, res) => res.json({ mode: 'Accueil' }));
    const env = readEnvironment({ API_KEY: 'boss', HOST: '127.0.0.1' });
    server = createServer(createHttpApp({ env, log: keepingLog(), redHttpNode, isReady: () => true }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  beforeEach(async () => {
    faults.length = 0;
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(base) && !/^(data|blob):/.test(url)) faults.push(`asks ${url}`);
    });
  });
  afterEach(() => page.close());

  it('/ shows Swagger UI, where an operation is tried with a key', async () => {
    await page.goto(`${base}/`, { waitUntil: 'networkidle' });
    assert.equal(page.url(), `${base}/docs`);
    await page.click('.auth-wrapper .authorize');
    await page.fill('#api_key_value', 'boss');
    await page.click('.modal-ux .authorize >> nth=0');
    await page.click('.modal-ux .btn-done');
    await page.click('#operations-Skull-getMode .opblock-summary-control');
    await page.click('#operations-Skull-getMode .execute');
    await page.waitForSelector('#operations-Skull-getMode .live-responses-table td:has-text("Accueil")');
    assert.deepEqual(faults, []);
  });

  it('/redoc shows the same document', async () => {
    await page.goto(`${base}/redoc`, { waitUntil: 'networkidle' });
    await page.waitForSelector('h1:has-text("Skull Orchestrator")');
    await page.waitForSelector('h2:has-text("Emergency stop")');
    assert.deepEqual(faults, []);
  });
});
