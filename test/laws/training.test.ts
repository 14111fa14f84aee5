import assert from 'node:assert/strict';
import fc from 'fast-check';
import { scheduleOf } from '../../lib/training';
import { splitByImage, splitOfImage, SPLITS, type Split } from '../../lib/datasets';
import { law } from '../law';

const schedules = fc.record({ shape: fc.constantFrom('linear' as const, 'cosine' as const), steps: fc.integer({ min: 1, max: 300 }),
  share: fc.integer({ min: 0, max: 100 }) })
  .map(({ shape, steps, share }) => ({ shape, steps, warmupSteps: Math.floor((steps * share) / 101) }));

describe('schedules, whatever their lengths', () => {
  law('lie between 0 and 1, rise through the warmup, and never after it', schedules, ({ shape, steps, warmupSteps }) => {
    const schedule = scheduleOf({ shape, warmupSteps }), factors = Array.from({ length: steps }, (_, step) => schedule(step, steps));
    for (const [step, factor] of factors.entries()) {
      assert.ok(factor >= 0 && factor <= 1, `${factor} at step ${step}`);
      if (step > 0 && step < warmupSteps) assert.ok(factor > factors[step - 1], `no rise at step ${step}`);
      if (step > warmupSteps) assert.ok(factor < factors[step - 1], `no fall at step ${step}`);
    }
    assert.equal(factors[warmupSteps], 1);
    assert.ok(schedule(steps, steps) < 1e-12, `${schedule(steps, steps)} at the end`);
  });
});

interface Row { image: string; text: string }
const rows = fc.array(fc.record({ image: fc.nat(200).map((n) => `${n}.jpg`), text: fc.string({ maxLength: 3 }) }), { minLength: 1,
  maxLength: 60 });

describe('the split by image, whatever the rows', () => {
  const parts = (all: readonly Row[], seed: number): Map<string, Split> => new Map(all.map(({ image }) => [image, splitOfImage(image,
    { seed })]));

  law('has no picture in two parts, and every row in one', fc.tuple(rows, fc.nat()), ([all, seed]) => {
    let split: Record<Split, Row[]>;
    try { split = splitByImage(all, ({ image }) => image, { seed }); } catch (error) {
      // Few pictures leave a part empty, which is refused.
      assert.match((error as Error).message, /No picture of \d+ falls into the (train|val|test) part/);
      assert.ok(SPLITS.some((name) => ![...parts(all, seed).values()].includes(name)), 'refused although no part is empty');
      return;
    }
    const images = SPLITS.map((name) => new Set(split[name].map(({ image }) => image)));
    assert.equal(images.reduce((sum, { size }) => sum + size, 0), new Set(all.map(({ image }) => image)).size);
    assert.equal(SPLITS.reduce((sum, name) => sum + split[name].length, 0), all.length);
  });

  law('moves no picture when rows are added, anywhere', fc.tuple(rows, rows, fc.nat()), ([all, more, seed]) => {
    const before = parts(all, seed), after = parts([...more, ...[...all].reverse()], seed);
    for (const [image, part] of before) assert.equal(after.get(image), part);
  });
});
