/** What cells show in JupyterLab while they run and afterwards: progress, pictures, charts, tables; all readable in either theme. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { unreadable } from './contrast';
import { command, drawn, errors, runAll, screenshot, untilDone, type PageDocument } from './jupyterlab';
import { session } from './session';

declare const document: PageDocument;
declare global { var barValues: number[]; } // oxlint-disable-line no-var -- a global of the page
declare class MutationObserver { constructor(changed: () => void); observe(element: unknown, options: object): void }

describe('outputs in JupyterLab', () => {
  it('runs all cells of the demo and shows progress, pictures, charts and tables', async () => {
    const { lab, page, outside } = session;
    await lab.open(page, 'build/browser/demo.ipynb');
    await watchBar(page);
    await runAll(page);
    const state = await untilDone(page, 120_000);
    assert.deepEqual(errors(state), []);
    const values = await page.evaluate(() => barValues);
    assert.ok(values.length >= 3, `the bar is on screen while the cell runs; seen at ${values.join()}`);
    assert.deepEqual(values, [...values].sort((a, b) => a - b));
    assert.ok(state.every((cell) => cell.outputs.every((output) => output.type !== 'stream')), 'nothing is printed beside what is shown');
    assert.match(state[1].outputs[0].text, /^Epoch 1 · 40\/40 steps · .*loss 0\.6325$/);
    assert.equal(state[1].outputs.length, 1, 'one bar, however often it was drawn');

    await page.locator('.jp-OutputArea .js-plotly-plot .main-svg').first().waitFor({ timeout: 20_000 });
    const file = await screenshot(page, 'demo');
    assert.deepEqual(await drawn(page), { charts: 4, pictures: 5, broken: 0 }, file);
    assert.equal(await page.locator('.jp-OutputArea figcaption', { hasText: 'an orange disc on <unk> blue' }).count(), 4);
    assert.equal(await page.locator('.jp-OutputArea table').count(), 2);
    assert.equal(await page.locator('.jp-OutputArea td', { hasText: '<b>.jpg' }).count(), 1);
    assert.ok(await page.locator('.js-plotly-plot .ytitle', { hasText: 'Cross entropy (nats per word)' }).count() > 0);
    assert.ok(await page.locator('.js-plotly-plot .ytick text', { hasText: '<start>' }).count() > 0);
    await saysWhatIsShown();
    await command(page, 'docmanager:save');

    await command(page, 'apputils:change-theme', { theme: 'JupyterLab Dark' });
    await page.locator('body[data-jp-theme-light="false"]').waitFor({ state: 'attached' });
    await page.locator('.jp-OutputArea table').first().waitFor();
    await screenshot(page, 'demo-dark');
    assert.deepEqual(await unreadable(page), []);
    await command(page, 'apputils:change-theme', { theme: 'JupyterLab Light' });
    await page.locator('body[data-jp-theme-light="true"]').waitFor({ state: 'attached' });
    assert.deepEqual(await unreadable(page), []);
    assert.deepEqual(outside, []);
  });
});

/** Keeps what the progress bar on screen shows from now on. */
const watchBar = (page: Page): Promise<void> => page.evaluate(() => {
  globalThis.barValues = [];
  new MutationObserver(() => {
    const value = document.querySelector('.jp-OutputArea progress')?.getAttribute('value');
    if (value != null && Number(value) !== barValues[barValues.length - 1]) barValues.push(Number(value));
  }).observe(document.querySelector('body'), { subtree: true, childList: true, attributes: true });
});

/** Pictures and charts have a text for those who do not see them. */
async function saysWhatIsShown(): Promise<void> {
  const { page } = session;
  await page.locator('[role=figure][aria-label]').first().waitFor();
  const texts = await page.evaluate(() => ({
    pictures: [...document.querySelectorAll('.jp-OutputArea img:not(.plot-img)')].map((picture) => picture.getAttribute('alt') ?? ''),
    charts: [...document.querySelectorAll('.jp-OutputArea .jp-RenderedPlotly')].map((chart) => chart.getAttribute('aria-label') ?? ''),
  }));
  const attention = 'Attention for each word [attention for each word: an orange disc]';
  assert.deepEqual(texts.pictures, [...Array.from({ length: 4 }, () => 'an orange disc on <unk> blue'), attention]);
  assert.equal(texts.charts.length, 4);
  assert.equal(texts.charts[0], 'chart: Loss; Cross entropy (nats per word) against Epoch; training: 4.1 to 2.1; validation: 3.9 to 2.7');
  assert.equal(texts.charts[1], 'chart: Scores; Score against Metric; BLEU-1 0.58, BLEU-4 0.17, CIDEr 0.44');
}
