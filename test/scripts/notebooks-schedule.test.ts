import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findNotebooks, NotebookError } from '../../scripts/notebooks/environment';
import type { Notebook } from '../../scripts/notebooks/notebook-file';
import { chooseJobs, planOf, runInOrder, threadEnvironment } from '../../scripts/notebooks/schedule';

describe('chooseJobs', () => {
  it('runs notebooks on small data side by side, as far as cores and memory go', () => {
    assert.deepEqual(chooseJobs('small', undefined, 2, 20e9), { jobs: 2, threads: 1 });
    assert.deepEqual(chooseJobs('small', undefined, 16, 64e9), { jobs: 4, threads: 4 });
    assert.deepEqual(chooseJobs('small', undefined, 8, 9e9), { jobs: 2, threads: 4 });
    assert.deepEqual(chooseJobs('small', undefined, 8, 1e9), { jobs: 1 });
  });

  it('leaves the machine to a full run, unless told otherwise', () => {
    assert.deepEqual(chooseJobs('full', undefined, 16, 64e9), { jobs: 1 });
    assert.deepEqual(chooseJobs('full', 3, 16, 64e9), { jobs: 3, threads: 5 });
  });

  it('tells TensorFlow how many threads it has, where it shares the machine', () => {
    assert.deepEqual(threadEnvironment({ jobs: 1 }), {});
    assert.equal(threadEnvironment({ jobs: 2, threads: 1 }).TF_NUM_INTRAOP_THREADS, '1');
  });
});

describe('runInOrder', () => {
  let folder = '';
  const write = (notebooks: object, minutes: Record<string, unknown> = {}): string[] => Object.entries(notebooks).map(([name, after]) => {
    const file = path.join(folder, `${name}.ipynb`), captioning = { after, minutes: minutes[name] };
    fs.writeFileSync(file, JSON.stringify({ cells: [], metadata: { captioning }, nbformat: 4, nbformat_minor: 5 }));
    return file;
  });
  /** What began and ended, in order. */
  const record = async (files: string[], jobs: number, failing = ''): Promise<string[]> => {
    const events: string[] = [];
    await runInOrder(files, jobs, async (file) => {
      const name = path.basename(file, '.ipynb');
      events.push(`+${name}`);
      await new Promise((resolve) => { setTimeout(resolve, 5); });
      events.push(`-${name}`);
      return name !== failing;
    });
    return events;
  };

  beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'schedule-')); });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it('begins none before those it goes on with, and first what most wait for', async () => {
    const files = write({ '01-a': undefined, '02-b': undefined, '03-c': ['02'], '04-d': ['03'], '05-e': ['01', '02'] });
    assert.deepEqual((await record(files, 1)).filter((event) => event.startsWith('+')), ['+02-b', '+01-a', '+03-c', '+04-d', '+05-e']);
    const events = await record(files, 2), at = (event: string) => events.indexOf(event);
    assert.equal(events.length, 10);
    for (const [first, then] of [['02-b', '03-c'], ['03-c', '04-d'], ['01-a', '05-e'], ['02-b', '05-e']]) {
      assert.ok(at(`-${first}`) < at(`+${then}`), `${then} began before ${first} had ended: ${events}`);
    }
    assert.ok(at('+01-a') < at('-02-b'), `one at a time: ${events}`);
  });

  it('begins long ones early', async () => {
    const files = write({ '01-a': undefined, '02-b': undefined, '03-c': ['01'], '04-d': undefined }, { '03-c': 3, '04-d': 4.5 });
    assert.deepEqual((await record(files, 1)).filter((event) => event.startsWith('+')), ['+01-a', '+04-d', '+03-c', '+02-b']);
  });

  it('does not wait for notebooks that are not asked for', async () => {
    assert.deepEqual(await record(write({ '03-c': ['02'] }), 2), ['+03-c', '-03-c']);
  });

  it('begins nothing more once it is told to stop', async () => {
    const files = write({ '01-a': undefined, '02-b': undefined, '03-c': ['02'] });
    assert.deepEqual(await record(files, 1, '02-b'), ['+02-b', '-02-b']);
  });

  it('refuses notebooks that wait for each other, and metadata of another form', async () => {
    await assert.rejects(record(write({ '01-a': ['02'], '02-b': ['01'] }), 1), /01-a, 02-b wait for each other/);
    await assert.rejects(record(write({ '01-a': 'all' }), 1), NotebookError);
    await assert.rejects(record(write({ '01-a': [] }, { '01-a': -1 }), 1), /01-a: captioning\.minutes .* is -1: expected a number above 0/);
  });
});

describe('the committed notebooks', () => {
  it('wait for notebooks that are there', () => {
    const files = findNotebooks([]);
    for (const file of files) {
      for (const name of planOf(JSON.parse(fs.readFileSync(file, 'utf8')) as Notebook, path.basename(file)).after) {
        assert.equal(files.filter((other) => path.basename(other).startsWith(name)).length, 1, `${path.basename(file)} waits for ${name}`);
      }
    }
  });
});
