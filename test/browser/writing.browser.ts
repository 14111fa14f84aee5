/** While cells are written and the library is changed: names and docs are offered, and a cell that imports it gets it as it is by then. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/notebooks/environment';
import { cells, errors, runCell, untilRested, writeNotebook } from './jupyterlab';
import { session } from './session';

const edited = path.join(root, 'lib', 'notebook', 'duration.ts');
const ADDED = '\n/** Left by a browser test that was cut off: take it out. */\nexport const addedByTest = (): number => ';

describe('writing cells and changing the library in JupyterLab', () => {
  const original = fs.readFileSync(edited, 'utf8').split('\n/** Left by a browser test')[0];
  afterEach(() => { fs.writeFileSync(edited, original); });

  /** Runs a code cell and says what it shows. */
  async function run(at: number): Promise<string> {
    const { page } = session;
    await runCell(page, at);
    await untilRested(page, 60_000);
    return (await cells(page))[at].outputs.map(({ text }) => text).join('\n');
  }

  it('the Tab key offers options, and Shift+Tab shows types and docs', async () => {
    const { lab, page } = session;
    const before = 'import { imageGrid, loadCaptioner } from "captioning";\nconst blip = loadCaptioner("blip-scenes");';
    await lab.open(page, writeNotebook('writing', [before, 'imageGrid', 'blip.caption([], { num']));
    assert.doesNotMatch(await run(0), /Error/);
    await page.locator('.jp-CodeCell').nth(2).locator('.cm-content').click();
    await page.keyboard.press('Control+End');
    await page.keyboard.press('Tab');
    await page.locator('.jp-Completer-item', { hasText: 'numBeams' }).first().waitFor({ timeout: 30_000 });
    await page.screenshot({ path: path.join(root, 'build', 'browser', 'completion.png') });
    await page.keyboard.press('Escape');
    await page.locator('.jp-CodeCell').nth(1).locator('.cm-content').click();
    await page.keyboard.press('End');
    await page.keyboard.press('Shift+Tab');
    await page.locator('.jp-Tooltip', { hasText: 'Shows pictures in a grid with titles and captions' }).waitFor({ timeout: 30_000 });
    await page.screenshot({ path: path.join(root, 'build', 'browser', 'tooltip.png') });
  });

  it('a change of the library is there when the cell that imports it is run again', async () => {
    const { lab, page } = session;
    fs.writeFileSync(edited, `${original}${ADDED}41;\n`);
    const importing = 'import { addedByTest, formatDuration } from "captioning";';
    await lab.open(page, writeNotebook('library', [importing, 'console.log(addedByTest(), formatDuration(3));']));
    assert.match(await run(0), /The library has changed and was compiled anew/);
    assert.match(await run(1), /^41 3\.0 s/);
    fs.writeFileSync(edited, `${original}${ADDED}42;\n`);
    assert.match(await run(1), /^41 /, 'the old one until the import is run again');
    assert.match(await run(0), /compiled anew/);
    assert.match(await run(1), /^42 /);
    assert.equal(await run(0), '', 'nothing is said where nothing has changed');

    fs.writeFileSync(edited, `${original}${ADDED}'text';\n`);
    assert.match(await run(0), /does not compile:\n.*lib\/notebook\/duration\.ts\(\d+,\d+\): error TS2322/);
    fs.writeFileSync(edited, original);
    assert.match(await run(0), /compiled anew[^]*no exported member (named )?'addedByTest'/);
    assert.match(errors(await cells(page)).join(), /^cell 1: TypeScriptError/);
  });
});
