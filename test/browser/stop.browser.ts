/** The stop button, on each kind of work that a cell may do: the cell ends, says so, and the kernel goes on. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { cells, errors, runAll, runCell, untilDone, untilRested, writeNotebook, type PageDocument } from './jupyterlab';
import { session } from './session';

declare const document: PageDocument;

const press = (page: Page): Promise<void> => page.locator('.jp-NotebookPanel-toolbar [data-jp-item-name="interrupt"]').first().click();
const barReaches = (page: Page, steps: number): Promise<unknown> => page.waitForFunction(
  (wanted) => Number(document.querySelector('.jp-OutputArea progress')?.getAttribute('value') ?? 0) >= wanted, steps, { timeout: 60_000 });

/** A network of two layers that learns a sum by the library's own loop: an hour of it. */
const TRAINING = [
  'import { Linear, Module, Random, interruptible, progress, tf, train } from "captioning";\n'
    + 'class Net extends Module {\n  hidden = new Linear(4, 16, new Random(1));\n  out = new Linear(16, 1, new Random(2));\n'
    + '  loss({ x, y }: any): any {\n    const said = () => this.out.forward(tf.relu(this.hidden.forward(x)));\n'
    + '    return tf.tidy(() => tf.mean(tf.squaredDifference(said(), y)));\n  }\n}\n'
    + 'const model = new Net(), random = new Random(3);\n'
    + 'const batches = { stepsPerEpoch: 1000, order: () => Uint32Array.of(0),\n'
    + '  batch: () => { const x = tf.randomNormal([8, 4]); return { x, y: tf.tidy(() => tf.sum(x, 1, true)) }; } };',
  'const bar = progress(1e6, "Training");\n'
    + 'const result = await interruptible((signal) => train({ model, random, batches, epochs: 1000, optimizer: { learningRate: 0.01 },\n'
    + '  loss: (batch: any) => model.loss(batch), signal, onStep: ({ loss }) => bar.step({ loss }) }));\nbar.done();',
  'console.log(result.interrupted, result.history.length < 1000);',
];

/** Work that does not end by itself, by what it does. */
const ENDLESS = {
  'waits for ever': 'await new Promise(() => {});',
  'computes without a pause': 'for (;;) Math.random();',
  'ignores the first press': 'import { interruptible } from "captioning";\n'
    + 'await interruptible(() => { console.log("at work"); return new Promise(() => {}); });',
};

describe('the stop button in JupyterLab', () => {
  it('ends interruptible work at its next step, and the cell keeps its result', async () => {
    const { lab, page, outside } = session;
    await lab.open(page, 'build/browser/interrupt.ipynb');
    await runAll(page);
    await barReaches(page, 10);
    const pressed = Date.now();
    await press(page);
    const state = await untilDone(page, 20_000);
    assert.ok(Date.now() - pressed < 10_000, 'the loop would have taken fifty seconds');
    assert.deepEqual(errors(state), []);
    assert.match(state[1].outputs[0].text, /stopped, checkpoint kept$/);
    assert.match(state[1].outputs[1].text, /^■ Stopping after the step under way/);
    assert.equal(state[2].outputs[0].text.trim(), 'stopped early, result kept');
    assert.deepEqual(outside, []);
  });

  it('ends a training of hours in seconds, and the cells below go on with what it has', async () => {
    const { lab, page } = session;
    await lab.open(page, writeNotebook('stop-training', TRAINING));
    await runAll(page);
    await barReaches(page, 200);
    await press(page);
    const state = await untilDone(page, 20_000);
    assert.deepEqual(errors(state), []);
    assert.match(state[1].outputs.map(({ text }) => text).join('\n'), /^Training · \d+\/1000000 steps[^]*■ Stopping/);
    assert.equal(state[2].outputs[0].text.trim(), 'true true');
    assert.equal(await page.locator('.jp-OutputArea progress').count(), 0, 'no bar is left standing');
  });

  it('drops a cell that has no other way to end, and the kernel keeps its variables', async () => {
    const { lab, page } = session, endless = Object.values(ENDLESS);
    await lab.open(page, writeNotebook('stop-plain', [...endless, 'const kept = 42;', 'console.log("kept", kept);']));
    await runCell(page, endless.length);
    await untilRested(page);
    for (const [at, what] of Object.keys(ENDLESS).entries()) {
      await runCell(page, at);
      await page.locator('.jp-CodeCell').nth(at).locator('.jp-InputPrompt', { hasText: '*' }).waitFor();
      if (what === 'ignores the first press') await page.locator('.jp-OutputArea', { hasText: 'at work' }).waitFor({ timeout: 60_000 });
      else await page.waitForTimeout(1500);
      await press(page);
      if (what === 'ignores the first press') {
        await page.locator('.jp-OutputArea', { hasText: '■ Stopping' }).waitFor();
        await press(page);
      }
      await untilRested(page).catch((error: Error) => { throw new Error(`a cell that ${what} went on: ${error.message}`); });
      assert.match(errors([(await cells(page))[at]]).join(), /^cell 1: Interrupted: stopped by the stop button/, what);
    }
    await runCell(page, endless.length + 1);
    await page.locator('.jp-OutputArea', { hasText: 'kept 42' }).waitFor({ timeout: 20_000 });
  });
});
