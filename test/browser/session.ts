/** One Chromium and one JupyterLab for all browser tests, and a fresh page for each: mocha's root hooks, and what tests see of them. */
import fs from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { root } from '../../scripts/notebooks/environment';
import { browserFolder, findChromium, INSTALL_HINT, keepInside, Lab, launch } from './jupyterlab';

const fixtures = path.join(root, 'test', 'fixtures', 'notebooks');

interface Session {
  browser: Browser;
  lab: Lab;
  /** Made before every test, closed after it. */
  page: Page;
  /** Addresses outside of this machine that the page asked for. */
  outside: string[];
}

export const session = { outside: [] as string[] } as Session;

export const mochaHooks = {
  async beforeAll(this: Mocha.Context): Promise<void> {
    const executable = findChromium();
    if (!executable) {
      console.warn(INSTALL_HINT);
      return this.skip();
    }
    fs.mkdirSync(browserFolder, { recursive: true });
    for (const file of fs.readdirSync(fixtures)) fs.copyFileSync(path.join(fixtures, file), path.join(browserFolder, file));
    [session.browser, session.lab] = await Promise.all([launch(executable), Lab.start()]);
  },
  async beforeEach(): Promise<void> {
    session.outside.length = 0;
    session.page = await session.browser.newPage({ viewport: { width: 1280, height: 900 } });
    await keepInside(session.page, session.outside);
  },
  async afterEach(): Promise<void> { await session.page?.close(); },
  async afterAll(): Promise<void> {
    await session.browser?.close();
    await session.lab?.stop();
  },
};
