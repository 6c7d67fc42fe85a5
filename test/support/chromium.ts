import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { Context } from 'mocha';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const QUIET = ['background-networking', 'component-update', 'sync', 'gpu', 'quic'].map((part) => `--disable-${part}`);

/** Debian's Chromium with a profile of its own. Skips the tests where it is missing, except in CI. */
export async function launchChromium(test: Context): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    const hint = 'needs Chromium: apt-get install chromium';
    assert.notEqual(process.env.CI, 'true', hint);
    if (test.test?.parent) test.test.parent.title += ` (${hint})`;
    test.skip();
  }
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--headless', '--no-sandbox', '--no-first-run', ...QUIET],
  });
}
