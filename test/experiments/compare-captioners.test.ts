import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Caption, Captioner } from '../../lib/captioners';
import { loadScenes } from '../../lib/datasets';
import { Random, tensorCount } from '../../lib/engine';
import { availableEntries, compareCaptioners, leaderboard, rankCaptioners, reportedScoreRows, score, type LeaderboardEntry } from '../../lib/experiments';
import { scoreWithClip } from '../../lib/metrics';
import { ClipEmbedder } from '../../lib/models';
import { Linear } from '../../lib/nn';
import { closeTo } from '../close-to';

const test = loadScenes().split('test').take(12);

/** Says of picture i what `text` gives; beams end with a word more. */
class Parrot implements Captioner {
  readonly networks = [new Linear(3, 2, new Random(1))];
  readonly asked: unknown[] = [];
  private next = 0;
  constructor(private readonly text: (i: number) => string) {}
  async caption(images: readonly unknown[], options: { numBeams?: number } = {}): Promise<Caption[]> {
    this.asked.push(options);
    return images.map(() => {
      const text = `${this.text(this.next++ % test.length)}${options.numBeams! > 1 ? ' again' : ''}`;
      return { text, tokens: [], words: [], logProbability: 0, score: 0 };
    });
  }
  save(): void { throw new Error('nothing to save'); }
  dispose(): void { this.networks[0].dispose(); }
}

describe('compareCaptioners', () => {
  const clip = ClipEmbedder.load('clip-scenes');
  after(() => clip.dispose());

  it('measures every captioner by greedy and beam captions, and ranks them with the difference of neighbours', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'compare-')), history = path.join(folder, 'history.jsonl'), before = tensorCount();
    const record = { trainLoss: 1, metrics: {} };
    fs.writeFileSync(history, [1.5, 2].map((seconds, i) => `${JSON.stringify({ epoch: i + 1, seconds, ...record })}\n`).join(''));
    const same = new Parrot(() => 'a thing'), told = new Parrot((i) => test.records[i].captions[0]), counts: Record<string, number> = {};
    const training = ['a thing', test.records[0].captions[0]];
    const measured = await compareCaptioners([
      { name: 'same', load: () => same, options: { maxNewTokens: 7 } },
      { name: 'told', load: () => told, history: [history] },
    ], test, training, { numBeams: 3, clip, batchSize: 5, onProgress: (name, count) => { counts[name] = (counts[name] ?? 0) + count; } });
    assert.equal(tensorCount(), before);
    fs.rmSync(folder, { recursive: true });
    assert.deepEqual(counts, { same: 24, told: 24 });
    assert.deepEqual(same.asked.slice(2, 4), [{ batchSize: 5, maxNewTokens: 7, numBeams: 1 }, { batchSize: 5, maxNewTokens: 7, numBeams: 3 }]);
    const [first, second] = measured;
    assert.deepEqual([first.parameters, first.trainingSeconds, second.trainingSeconds], [8, undefined, 3.5]);
    assert.deepEqual([first.greedy.diversity.vocabulary, first.greedy.diversity.novel, first.beam.diversity.novel], [2, 0, 1]);
    assert.ok(first.greedy.captionsPerSecond > 0);
    const texts = test.records.map(({ captions }) => captions[0]);
    assert.deepEqual(second.greedy.captions, texts);
    const { scores } = second.greedy, expected = score(test, texts.map((text) => ({ text }) as Caption)).corpus;
    closeTo([scores.Bleu_4, scores.CIDEr, scores.METEOR], [expected.Bleu_4, expected.CIDEr, expected.METEOR], 1e-12);
    const { CLIPScore, RefCLIPScore } = await scoreWithClip(clip, test.images(), texts, { references: test.records.map(({ captions }) => captions) });
    closeTo([scores.CLIPScore, scores.RefCLIPScore], [CLIPScore, RefCLIPScore!], 1e-6);
    const { ranked, neighbours } = rankCaptioners(measured);
    assert.deepEqual(ranked.map(({ name }) => name), ['told', 'same']);
    assert.equal(neighbours.length, 1);
    assert.deepEqual([neighbours[0].better, neighbours[0].worse, neighbours[0].clear], ['told', 'same', true]);
    closeTo([neighbours[0].CIDEr.value], [second.beam.scores.CIDEr - first.beam.scores.CIDEr], 1e-9);
  });

  it('stops at the signal and disposes what it loaded', async () => {
    const before = tensorCount(), controller = new AbortController();
    const compare = compareCaptioners([{ name: 'one', load: () => new Parrot(() => 'a thing') }], test, [], {
      numBeams: 2, clip, batchSize: 5, signal: controller.signal, onProgress: () => controller.abort(new Error('enough')),
    });
    await assert.rejects(compare, /enough/);
    assert.equal(tensorCount(), before);
  });
});

describe('leaderboard', () => {
  it('has the captioner of every report in both profiles, by names of their own', () => {
    for (const profile of ['small', 'full'] as const) {
      const { entries } = leaderboard(profile), names = entries.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
      assert.deepEqual([...new Set(entries.map(({ report }) => report.slice(0, 3)))].sort(), ['000', '001', '002', '003', '004']);
    }
  });

  it('sets what a report prints beside what was measured of its captioner, null where either has none', () => {
    const entries = leaderboard('small').entries.filter(({ report }) => report !== '000 A');
    const measured = [{ name: 'DeiT-III + Transformer', beam: { scores: { CIDEr: 2, CLIPScore: 0.5, Bleu_4: 0.25 } } }] as never;
    const rows = reportedScoreRows(entries, measured), [deit] = rows.filter(({ report }) => report === '004');
    assert.deepEqual([deit['CIDEr, report'], deit['CIDEr, here'], deit['BLEU-4, report'], deit['BLEU-4, here']], [0.9413, 2, null, 0.25]);
    assert.deepEqual(rows.map(({ report }) => report), ['001 A', '001 B', '002 I', '002 I', '004'], 'reports that print none have no row');
    assert.equal(rows[0]['CIDEr, here'], null);
  });

  it('says what to do for a captioner that is not there', () => {
    const entry = (name: string, folder?: string): LeaderboardEntry => ({ name, report: '003', notebook: '01', folder, load: () => { throw new Error('not loaded'); } });
    const { available, missing } = availableEntries([entry('published'), entry('kept', path.join(__dirname, '..', '..', 'weights', 'clip-scenes')), entry('lost', '/nowhere')]);
    assert.deepEqual(available.map(({ name }) => name), ['published', 'kept']);
    assert.deepEqual(missing, ['lost: run notebook 01, which keeps it in /nowhere']);
  });
});
