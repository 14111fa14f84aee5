import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { notebooksFolder, python, root } from '../../scripts/notebooks/environment';
import { exportHtml } from '../../scripts/notebooks/html';
import { browserFolder, cells, command, findChromium, INSTALL_HINT, keepInside, Lab, launch, runAll, screenshot, untilDone, type CellState, type PageDocument } from './jupyterlab';

declare const document: PageDocument;

const fixtures = path.join(root, 'test', 'fixtures', 'notebooks');
/** MINUTES a notebook of notebooks/ may take. */
const NOTEBOOK_TIMEOUT = 10 * 60_000;

const errors = (state: CellState[]): string[] => state.flatMap((cell, i) => cell.outputs.filter((output) => output.type === 'error').map((output) => `cell ${i + 1}: ${output.text}`));

/** Charts, and pictures that were really decoded, within the notebook on screen. */
const drawn = (page: Page): Promise<{ charts: number; pictures: number; broken: number }> => page.evaluate(() => {
  const pictures = [...document.querySelectorAll('.jp-OutputArea img:not(.plot-img)')];
  return {
    charts: [...document.querySelectorAll('.jp-OutputArea .js-plotly-plot')].filter((plot) => plot.querySelector('.main-svg path, .main-svg rect, .main-svg image') !== null).length,
    pictures: pictures.filter((picture) => picture.naturalWidth > 0).length,
    broken: pictures.filter((picture) => picture.naturalWidth === 0).length,
  };
});

describe('notebooks in a browser', () => {
  let browser: Browser, lab: Lab, page: Page;
  const outside: string[] = [];

  before(async function start() {
    const executable = findChromium();
    if (!executable) {
      console.warn(`\n  ${'!'.repeat(80)}\n  ${INSTALL_HINT}\n  ${'!'.repeat(80)}\n`);
      return this.skip();
    }
    fs.mkdirSync(browserFolder, { recursive: true });
    for (const file of fs.readdirSync(fixtures)) fs.copyFileSync(path.join(fixtures, file), path.join(browserFolder, file));
    [browser, lab] = await Promise.all([launch(executable), Lab.start()]);
  });

  beforeEach(async () => {
    outside.length = 0;
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await keepInside(page, outside);
  });

  afterEach(async () => { await page?.close(); });

  after(async () => {
    await browser?.close();
    await lab?.stop();
  });

  it('JupyterLab listens on the loopback address only and asks for its token', async () => {
    const { port } = new URL(lab.origin);
    const anonymous = await fetch(`${lab.origin}/api/contents`, { redirect: 'manual' });
    assert.equal(anonymous.status, 403);
    const listening = fs.existsSync('/proc/net/tcp') ? fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => state === '0A' && parseInt(local.split(':')[1], 16) === Number(port)).map(([, local]) => local.split(':')[0]) : ['0100007F'];
    assert.deepEqual(listening, ['0100007F']);
    const specs = await lab.get('/api/kernelspecs') as { default: string };
    assert.equal(specs.default, 'tslab');
  });

  it('runs all cells of the demo and shows progress, pictures, charts and tables', async () => {
    await lab.open(page, 'build/browser/demo.ipynb');
    await runAll(page);
    const bar = page.locator('.jp-OutputArea progress');
    await bar.waitFor({ timeout: 60_000 }); // the bar is on screen while the cell runs
    const before = Number(await bar.getAttribute('value'));
    await page.waitForFunction((value) => Number(document.querySelector('.jp-OutputArea progress')?.getAttribute('value') ?? Infinity) > value, before, { timeout: 10_000 });

    const state = await untilDone(page, 120_000);
    assert.deepEqual(errors(state), []);
    assert.ok(state.every((cell) => cell.outputs.every((output) => output.type !== 'stream')), 'nothing is printed beside what is shown');
    assert.match(state[1].outputs[0].text, /^Epoch 1 · 40\/40 steps · .*loss 0\.6325$/);
    assert.equal(state[1].outputs.length, 1, 'one bar, however often it was drawn');

    await page.waitForFunction(() => document.querySelectorAll('.jp-OutputArea .js-plotly-plot .main-svg').length > 0, undefined, { timeout: 20_000 });
    const file = await screenshot(page, 'demo');
    const seen = await drawn(page);
    assert.deepEqual(seen, { charts: 4, pictures: 5, broken: 0 }, file);
    assert.equal(await page.locator('.jp-OutputArea figcaption', { hasText: 'an orange disc on <unk> blue' }).count(), 4);
    assert.equal(await page.locator('.jp-OutputArea table').count(), 2);
    assert.equal(await page.locator('.jp-OutputArea td', { hasText: '<b>.jpg' }).count(), 1);
    assert.ok(await page.locator('.js-plotly-plot .ytitle', { hasText: 'Cross entropy (nats per word)' }).count() > 0);
    assert.ok(await page.locator('.js-plotly-plot .ytick text', { hasText: '<start>' }).count() > 0);
    assert.deepEqual(outside, []);

    await command(page, 'docmanager:save');
  });

  it('draws the same in the exported page, without any request', async () => {
    const folder = path.join(browserFolder, 'html');
    await exportHtml([path.join(browserFolder, 'demo.ipynb')], folder);
    const asked: string[] = [], complaints: string[] = [];
    page.on('request', (request) => { if (!request.url().startsWith('data:') && !request.url().startsWith('blob:')) asked.push(request.url()); });
    page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
    page.on('pageerror', (error) => complaints.push(error.message));
    const address = pathToFileURL(path.join(folder, 'demo.html')).href;
    await page.goto(address);
    await page.waitForFunction(() => document.querySelectorAll('.js-plotly-plot .main-svg').length >= 4, undefined, { timeout: 20_000 });
    await page.screenshot({ path: path.join(browserFolder, 'demo-page.png'), fullPage: true });
    assert.deepEqual(asked, [address]);
    assert.deepEqual(complaints, []);
    assert.equal(await page.locator('.js-plotly-plot').count(), 4);
    assert.equal(await page.evaluate(() => [...document.images].filter((picture) => picture.naturalWidth === 0).length), 0);
    assert.equal(await page.title(), 'What a cell can show');
    // Formulas are MathML where set-up installed the converter, and TeX's own notation elsewhere; code is left alone either way.
    const converter = spawnSync(python, ['-c', 'import latex2mathml']).status === 0;
    assert.equal(await page.locator('math').count(), converter ? 1 : 0);
    assert.equal(await page.locator('code', { hasText: '$x$' }).count(), 1);
  });

  it('the stop button ends interruptible work at its next step, and the cell keeps its result', async () => {
    await lab.open(page, 'build/browser/interrupt.ipynb');
    await runAll(page);
    await page.waitForFunction(() => Number(document.querySelector('.jp-OutputArea progress')?.getAttribute('value') ?? 0) >= 10, undefined, { timeout: 60_000 });
    const pressed = Date.now();
    await page.locator('.jp-NotebookPanel-toolbar [data-jp-item-name="interrupt"]').first().click();
    const state = await untilDone(page, 20_000);
    assert.ok(Date.now() - pressed < 10_000, 'the loop would have taken fifty seconds');
    assert.deepEqual(errors(state), []);
    assert.match(state[1].outputs[0].text, /stopped, checkpoint kept$/);
    assert.equal(state[2].outputs[0].text.trim(), 'stopped early, result kept');
    assert.deepEqual(outside, []);
  });

  const books = fs.existsSync(notebooksFolder) ? fs.readdirSync(notebooksFolder).filter((file) => file.endsWith('.ipynb')).sort() : [];
  for (const book of books) {
    it(`runs all cells of notebooks/${book}`, async () => {
      await lab.open(page, `notebooks/${book}`);
      const { charts, pictures } = expected(JSON.parse(fs.readFileSync(path.join(notebooksFolder, book), 'utf8')));
      await command(page, 'notebook:clear-all-cell-outputs');
      await runAll(page);
      const state = await untilDone(page, NOTEBOOK_TIMEOUT);
      await screenshot(page, path.basename(book, '.ipynb'));
      assert.deepEqual(errors(state), []);
      const seen = await drawn(page);
      assert.ok(seen.charts >= charts, `${seen.charts} charts drawn, ${charts} in the committed notebook`);
      assert.ok(seen.pictures >= pictures && seen.broken === 0, `${seen.pictures} outputs with pictures, ${seen.broken} broken; ${pictures} in the committed notebook`);
      assert.deepEqual(outside, []);
      assert.deepEqual(await cells(page).then((all) => all.filter((cell) => cell.count === null)), []);
    });
  }
});

/** How many charts and outputs with pictures the committed notebook holds. */
function expected(notebook: { cells: { outputs?: { data?: Record<string, unknown> }[] }[] }): { charts: number; pictures: number } {
  const bundles = notebook.cells.flatMap((cell) => cell.outputs ?? []).map((output) => output.data ?? {});
  const isChart = (data: Record<string, unknown>): boolean => 'application/vnd.plotly.v1+json' in data;
  return { charts: bundles.filter(isChart).length, pictures: bundles.filter((data) => !isChart(data) && ('image/png' in data || 'image/jpeg' in data)).length };
}
