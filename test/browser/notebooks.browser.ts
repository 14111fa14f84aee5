/** The notebooks of notebooks/ themselves, from the first cell to the last in JupyterLab. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { notebooksFolder } from '../../scripts/notebooks/environment';
import { cells, command, drawn, errors, runAll, screenshot, untilDone, wantedNotebooks } from './jupyterlab';
import { session } from './session';

/** What a notebook of notebooks/ may take. */
const NOTEBOOK_TIMEOUT = 10 * 60_000;

describe('notebooks in JupyterLab', () => {
  for (const book of wantedNotebooks()) {
    it(`runs all cells of notebooks/${book}`, async () => {
      const { lab, page, outside } = session;
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
