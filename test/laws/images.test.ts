import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RESAMPLE_FILTERS, resizeImage, shorterSideSize, type RgbImage } from '../../lib/images';
import { law } from '../law';

const side = fc.integer({ min: 1, max: 50 }), filter = fc.constantFrom(...RESAMPLE_FILTERS), byte = fc.integer({ min: 0, max: 255 });
const picture = fc.tuple(side, side, fc.nat()).map(([width, height, seed]): RgbImage =>
  ({ width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.imul(i + seed, 2_654_435_761) >>> 24) }));

describe('resizing, whatever the picture', () => {
  law('leaves a picture of one colour in that colour', fc.tuple(side, side, side, side, filter, fc.tuple(byte, byte, byte)), ([w, h, width,
    height, by, colour]) => {
    const data = Uint8Array.from({ length: w * h * 3 }, (_, i) => colour[i % 3]);
    const resized = resizeImage({ data, width: w, height: h }, width, height, by);
    assert.equal(resized.data.length, width * height * 3);
    assert.ok(resized.data.every((value, i) => value === colour[i % 3]), `${by}: ${[...resized.data.slice(0, 9)]} instead of ${colour}`);
  }, 300);

  // Bicubic and Lanczos weigh some pixels below 0, and may go beyond.
  law('stays within the darkest and the lightest value, where no weight is below 0', fc.tuple(picture, side, side,
    fc.constantFrom('nearest', 'bilinear', 'box', 'hamming')),
    ([image, width, height, by]) => {
      const most = Math.max(...image.data), least = Math.min(...image.data);
      for (const value of resizeImage(image, width, height, by).data) assert.ok(value >= least && value <= most,
        `${value} outside ${least} … ${most}`);
    });

  law('changes nothing where the size stays', fc.tuple(picture, filter), ([image, by]) => {
    assert.deepEqual(Buffer.from(resizeImage(image, image.width, image.height, by).data), Buffer.from(image.data));
  });

  law('of a part is the part of the resized', fc.tuple(picture, side, side, filter, fc.nat(), fc.nat()), ([image, width, height, by, x,
    y]) => {
    const left = x % width, top = y % height, part = { left, top, width: width - left, height: height - top };
    const whole = resizeImage(image, width, height, by), cut = resizeImage(image, width, height, by, part);
    for (let row = 0; row < part.height; row++) {
      const from = ((top + row) * width + left) * 3;
      assert.deepEqual(Buffer.from(cut.data.subarray(row * part.width * 3, (row + 1) * part.width * 3)),
        Buffer.from(whole.data.subarray(from, from + part.width * 3)));
    }
  });

  law('by the shorter side gives it that length and the longer one no less', fc.tuple(side, side, fc.integer({ min: 1, max: 400 })), ([w, h,
    edge]) => {
    const { width, height } = shorterSideSize(w, h, edge);
    assert.equal(Math.min(width, height), edge);
    assert.ok(width > height === w > h || width === height, `${w}×${h} became ${width}×${height}`);
  });
});
