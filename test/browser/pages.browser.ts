/** The exported pages, opened as files with the network off: complete, quiet, and readable in a light and a dark theme. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { notebooksFolder, python } from '../../scripts/notebooks/environment';
import { exportHtml } from '../../scripts/notebooks/html';
import { unreadable } from './contrast';
import { browserFolder, wantedNotebooks, type PageDocument } from './jupyterlab';
import { session } from './session';

declare const document: PageDocument;

const folder = path.join(browserFolder, 'html');
const books = wantedNotebooks();

interface Visit { page: Page; asked: string[]; complaints: string[] }

/** Opens a page in a browser without network. */
async function visit(name: string, colorScheme: 'light' | 'dark'): Promise<Visit> {
  const context = await session.browser.newContext({ offline: true, colorScheme, viewport: { width: 1280, height: 900 } });
  await context.addInitScript('globalThis.__name = (value) => value');
  const page = await context.newPage(), asked: string[] = [], complaints: string[] = [];
  page.on('request', (request) => { if (!/^(data|blob):/.test(request.url())) asked.push(request.url()); });
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(pathToFileURL(path.join(folder, `${name}.html`)).href);
  return { page, asked: asked.slice(1), complaints };
}

/** What must hold of every page: all charts drawn, all pictures there and described, texts readable, nothing asked for. */
async function check({ page, asked, complaints }: Visit, charts: number): Promise<void> {
  const isDrawn = (wanted: number): boolean =>
    [...document.querySelectorAll('.js-plotly-plot')].filter((plot) => plot.querySelector('.main-svg .xtick') !== null).length >= wanted;
  await page.waitForFunction(isDrawn, charts, { timeout: 30_000 });
  const poor = await page.evaluate(() => [...document.images]
    .filter((picture) => picture.naturalWidth === 0 || !picture.getAttribute('alt')?.trim())
    .map((picture) => picture.outerHTML.slice(0, 200)));
  assert.deepEqual(poor, []);
  const labels = await page.locator('.chart[role=img]').evaluateAll((all) => all.map((chart) => chart.getAttribute('aria-label') ?? ''));
  assert.equal(labels.filter((label) => label.startsWith('chart: ')).length, charts);
  assert.deepEqual(await unreadable(page), []);
  assert.deepEqual([asked, complaints], [[], []]);
}

const countCharts = (file: string): number => fs.readFileSync(file, 'utf8').split('"application/vnd.plotly.v1+json": {').length - 1;

describe('exported pages', () => {
  before(() => {
    fs.rmSync(folder, { recursive: true, force: true });
    return exportHtml([path.join(browserFolder, 'demo.ipynb'), ...books.map((file) => path.join(notebooksFolder, file))], folder);
  });

  for (const theme of ['light', 'dark'] as const) {
    for (const name of ['demo', ...books.map((file) => path.basename(file, '.ipynb'))]) {
      it(`${name}, ${theme}`, async () => {
        const visited = await visit(name, theme);
        const charts = countCharts(name === 'demo' ? path.join(browserFolder, 'demo.ipynb') : path.join(notebooksFolder, `${name}.ipynb`));
        await visited.page.screenshot({ path: path.join(browserFolder, `page-${name}-${theme}.png`), fullPage: true });
        await check(visited, charts);
        if (name === 'demo') await checkDemo(visited.page);
        await visited.page.context().close();
      });
    }

    it(`the list of pages, ${theme}`, async () => {
      const visited = await visit('index', theme);
      assert.equal(await visited.page.locator('li a').count(), books.length + 1);
      await check(visited, 0);
      await visited.page.context().close();
    });
  }
});

async function checkDemo(page: Page): Promise<void> {
  assert.equal(await page.title(), 'What a cell can show');
  // Formulas are MathML where set-up installed the converter, and TeX's own notation elsewhere; code is left alone either way.
  const converter = spawnSync(python, ['-c', 'import latex2mathml']).status === 0;
  assert.equal(await page.locator('math').count(), converter ? 1 : 0);
  assert.equal(await page.locator('code', { hasText: '$x$' }).count(), 1);
}
