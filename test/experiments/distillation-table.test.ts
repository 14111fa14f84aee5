import assert from 'node:assert/strict';
import { spread, summarizeDistillation, type DistillationRun } from '../../lib/experiments';
import { closeTo } from '../close-to';

const run = (row: string, seed: number, Bleu_4: number): DistillationRun =>
  ({ row, seed, scores: { Bleu_4, CIDEr: 1, METEOR: 0, ROUGE_L: 0 }, valLoss: [] });

describe('summarizeDistillation', () => {
  const runs = [
    run('baseline', 1, 0.1), run('baseline', 2, 0.2), run('baseline', 3, 0.3),
    run('better', 3, 0.39), run('better', 1, 0.21), run('better', 2, 0.3), run('noisy', 1, 0.3), run('noisy', 2, 0.1), run('noisy', 3, 0.5),
  ];

  it('gives mean and sample standard deviation over the seeds, and differences paired by seed with Student\'s interval', () => {
    const [baseline, better, noisy] = summarizeDistillation(runs, 'Bleu_4');
    closeTo([baseline.mean, baseline.sd, better.mean, noisy.sd], [0.2, 0.1, 0.3, 0.2], 1e-9);
    closeTo([baseline.difference.mean, baseline.margin], [0, 0], 1e-12);
    // Differences 0.11, 0.1, 0.09: t(2) = 4.303.
    closeTo([better.difference.mean, better.difference.sd, better.margin], [0.1, 0.01, (4.303 * 0.01) / Math.sqrt(3)], 1e-9);
    assert.deepEqual([baseline.clear, better.clear, noisy.clear], [false, true, false]);
    assert.deepEqual([better.row, better.seeds], ['better', 3]);
  });

  it('compares validation losses by that of the last epoch', () => {
    const ended = (row: string, seed: number, ...valLoss: number[]) => ({ ...run(row, seed, 0), valLoss });
    const losses = [ended('baseline', 1, 4, 3), ended('baseline', 2, 5, 2), ended('taught', 1, 9, 2.4), ended('taught', 2, 9, 1.6)];
    const [baseline, taught] = summarizeDistillation(losses, 'valLoss');
    closeTo([baseline.mean, taught.mean, taught.difference.mean], [2.5, 2, -0.5], 1e-9);
  });

  it('says nothing is clear of a single seed, and asks for the baseline of each', () => {
    const [, one] = summarizeDistillation([run('baseline', 1, 0.1), run('a', 1, 0.9)], 'Bleu_4');
    assert.equal(one.clear, false);
    assert.ok(Number.isNaN(one.margin) && Number.isNaN(one.sd), JSON.stringify(one));
    const unpaired = [run('baseline', 1, 0.1), run('a', 2, 0.9)];
    assert.throws(() => summarizeDistillation(unpaired, 'Bleu_4'), /Row a has seed 2, row baseline has not/);
  });
});

describe('spread', () => {
  it('is mean and sample standard deviation', () => {
    const { mean, sd } = spread([1, 2, 3, 4]);
    closeTo([mean, sd], [2.5, Math.sqrt(5 / 3)], 1e-9);
  });
});
