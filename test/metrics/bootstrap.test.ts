import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { percentiles, PairedBootstrap } from '../../lib/metrics/bootstrap';
import { CaptionMetric, CaptionStatistics } from '../../lib/metrics/caption-statistics';
import { scoreCaptions } from '../../lib/metrics/score-captions';
import { WordNet } from '../../lib/metrics/wordnet';
import { Random } from '../../lib/random';

interface Fixture { references: Record<string, string[]>; candidates: Record<string, string> }
const { references, candidates } = JSON.parse(readFileSync(join(__dirname, '../fixtures/metrics/scores.json'), 'utf8')) as Fixture;
const METRICS: CaptionMetric[] = ['Bleu_1', 'Bleu_2', 'Bleu_3', 'Bleu_4', 'ROUGE_L', 'CIDEr', 'CIDErD', 'METEOR'];
const wordnet = new WordNet();
const near = (actual: number, expected: number, tolerance: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, expected ${expected}`);

/** Captions of a tiny language, the better the nearer `quality` is to 1. */
function corpus(images: number, quality: number, seed: number) {
  const words = 'a the dog cat man woman runs sits on over grass street red blue with ball'.split(' ');
  const text = new Random(1), noise = new Random(seed);
  const sentence = () => Array.from({ length: 6 + text.integer(6) }, () => words[text.integer(words.length)]);
  const all: Record<string, string[]> = {}, guesses: Record<string, string> = {};
  for (let i = 0; i < images; i++) {
    const said = Array.from({ length: 5 }, sentence);
    all[`${i}.jpg`] = said.map((tokens) => tokens.join(' '));
    guesses[`${i}.jpg`] = said[0].map((word) => (noise.uniform() < quality ? word : words[noise.integer(words.length)])).join(' ');
  }
  return { references: all, candidates: guesses };
}
const statistics = (images: number, quality: number, seed: number) => {
  const made = corpus(images, quality, seed);
  return new CaptionStatistics(made.references, made.candidates, { wordnet });
};

describe('CaptionStatistics', () => {
  it('gives the scores of scoreCaptions on all images', () => {
    const counted = new CaptionStatistics(references, candidates);
    const scored = scoreCaptions(references, candidates);
    assert.deepEqual(counted.corpus(), scored.corpus);
    assert.deepEqual(counted.corpus(counted.ids.map(() => 1)), scored.corpus);
    counted.ids.forEach((id, i) => assert.deepEqual(counted.image(i), scored.images[id]));
  });

  it('gives a resample the scores of a corpus with its images as often, CIDEr with the document frequencies of all', () => {
    const counted = new CaptionStatistics(references, candidates);
    const random = new Random(3);
    const draws = counted.ids.map(() => random.integer(counted.ids.length));
    const named = <T>(from: Record<string, T>) => Object.fromEntries(draws.map((draw, i) => [`${i}`, from[counted.ids[draw]]]));
    const expected = scoreCaptions(named(references), named(candidates)).corpus;
    const times = counted.ids.map((_, i) => draws.filter((draw) => draw === i).length);
    assert.ok(times.includes(0) && times.some((count) => count > 1));
    const resampled = counted.corpus(times);
    for (const metric of METRICS.filter((name) => !name.startsWith('CIDEr'))) near(resampled[metric], expected[metric], 1e-12, metric);
    const cider = draws.reduce((sum, draw) => sum + counted.image(draw).CIDEr, 0) / draws.length;
    near(resampled.CIDEr, cider, 1e-12, 'CIDEr');
  });
});

describe('PairedBootstrap', () => {
  const systems = { good: statistics(400, 0.9, 2), fair: statistics(400, 0.8, 3), alike: statistics(400, 0.8, 4) };
  const bootstrap = new PairedBootstrap(systems);

  it('has the score of all images inside its interval, of the width the spread of the images calls for', () => {
    for (const name of Object.keys(systems) as (keyof typeof systems)[]) {
      const corpusScores = systems[name].corpus();
      for (const metric of METRICS) {
        const { value, low, high } = bootstrap.interval(name, metric);
        assert.equal(value, corpusScores[metric]);
        assert.ok(low < value && value < high, `${name} ${metric}: ${low} ${value} ${high}`);
        if (metric.startsWith('Bleu')) continue;
        // A mean: the normal interval is 1.96 standard errors either side.
        const scores = systems[name].ids.map((_, i) => systems[name].image(i)[metric]);
        const variance = scores.reduce((sum, score) => sum + (score - value) ** 2, 0) / scores.length;
        near((high - low) / (2 * 1.96 * Math.sqrt(variance / scores.length)), 1, 0.12, `${name} ${metric}: width`);
      }
    }
  });

  it('finds a difference where there is one, paired: narrower than the two intervals apart', () => {
    for (const metric of METRICS) {
      const { value, low, high, pValue } = bootstrap.difference('good', 'fair', metric);
      near(value, bootstrap.interval('good', metric).value - bootstrap.interval('fair', metric).value, 1e-15, metric);
      assert.ok(low > 0 && low < value && value < high);
      assert.equal(pValue, 2 / 1001);
      const back = bootstrap.difference('fair', 'good', metric);
      near(back.low, -high, 1e-12, `${metric} the other way round`);
      assert.equal(back.pValue, pValue);
    }
    const apart = (name: string) => bootstrap.interval(name, 'CIDEr').high - bootstrap.interval(name, 'CIDEr').low;
    const { low, high } = bootstrap.difference('good', 'fair', 'CIDEr');
    assert.ok(high - low < Math.hypot(apart('good'), apart('fair')));
  });

  it('is right about as often as it says: 95 % intervals of a true difference of zero', () => {
    let misses = 0, small = 0;
    for (let trial = 0; trial < 60; trial++) {
      const a = statistics(60, 0.7, 100 + 2 * trial);
      const b = statistics(60, 0.7, 101 + 2 * trial);
      const pair = new PairedBootstrap({ a, b }, { samples: 200, seed: trial });
      const { low, high, pValue } = pair.difference('a', 'b', 'ROUGE_L');
      misses += Number(low > 0 || high < 0);
      small += Number(pValue < 0.5);
    }
    // Binomial(60, 0.05): 9 or more in 1 of 500; Binomial(60, 0.5): outside 17 … 43 in 1 of 1000.
    assert.ok(misses <= 9, `${misses} of 60`);
    assert.ok(small >= 17 && small <= 43, `p below 0.5 in ${small} of 60`);
  });

  it('sees no difference between a system and itself', () => {
    assert.deepEqual(bootstrap.difference('good', 'good', 'Bleu_4'), { value: 0, low: 0, high: 0, pValue: 1 });
  });

  it('depends on the seed alone', () => {
    const again = new PairedBootstrap({ alike: systems.alike, good: systems.good }, { seed: 42 });
    assert.deepEqual(again.interval('good', 'Bleu_4'), bootstrap.interval('good', 'Bleu_4'));
    const other = new PairedBootstrap({ good: systems.good }, { seed: 43 });
    assert.notDeepEqual(other.interval('good', 'Bleu_4'), bootstrap.interval('good', 'Bleu_4'));
  });

  it('is wider at a higher confidence', () => {
    const at = (confidence: number) => new PairedBootstrap({ good: systems.good }, { confidence }).interval('good', 'METEOR');
    const [narrow, wide] = [at(0.5), at(0.99)];
    assert.ok(wide.low < narrow.low && narrow.high < wide.high);
  });

  it('takes a thousand resamples of a thousand images for eight systems in seconds', function time() {
    this.timeout(60_000);
    const one = statistics(1000, 0.8, 5);
    const start = process.cpuUsage();
    new PairedBootstrap(Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`${i}`, one])));
    const { user } = process.cpuUsage(start);
    assert.ok(user < 5e6, `${user / 1e6} s of processor time`);
  });

  it('says what is wrong', () => {
    const other = new CaptionStatistics({ x: ['a dog'], y: ['a cat'] }, { x: 'a dog', y: 'a cat' });
    const swapped = new CaptionStatistics({ x: ['a dog'], y: ['a cat'] }, { y: 'a dog', x: 'a cat' });
    assert.throws(() => new PairedBootstrap({}), /no system/);
    assert.throws(() => new PairedBootstrap({ other, swapped }), /image 1 is "x" for other and "y" for swapped/);
    assert.throws(() => new PairedBootstrap({ good: systems.good, other }), /image 1 is "0\.jpg" for good and "x" for other/);
    assert.throws(() => new PairedBootstrap({ other }, { samples: 0 }), /samples is 0/);
    assert.throws(() => new PairedBootstrap({ other }, { confidence: 95 }), /confidence is 95; expected between 0 and 1/);
    assert.throws(() => bootstrap.interval('best', 'CIDEr'), /no system "best"; there are good, fair, alike/);
    assert.throws(() => bootstrap.interval('good', 'BLEU' as never), /no metric "BLEU"; there are Bleu_1/);
  });
});

describe('percentiles', () => {
  it('interpolates between values', () => {
    assert.deepEqual(percentiles([30, 0, 20, 10, 40], 0.5), { low: 10, high: 30 });
    assert.deepEqual(percentiles([0, 10, 20, 30, 40], 0.75), { low: 5, high: 35 });
    assert.deepEqual(percentiles([7], 0.95), { low: 7, high: 7 });
  });
});
