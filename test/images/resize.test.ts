import assert from 'node:assert/strict';
import { resizeImage, RESAMPLE_FILTERS, shorterSideSize, ImageError } from '../../lib/images';
import { cases, difference, fixture, sha256 } from './fixtures';

describe('resizeImage equals Pillow 11 pixel for pixel', () => {
  for (const filter of RESAMPLE_FILTERS) {
    it(`${filter}: ${cases.resize.filter((one) => one.filter === filter).length} pairs of sizes`, async () => {
      for (const { source, size, sha256: expected, expected: file } of cases.resize.filter((one) => one.filter === filter)) {
        const resized = resizeImage(await fixture(source), size[0], size[1], filter);
        if (file) assert.deepEqual(difference(resized, await fixture(file)), { largest: 0, share: 0 }, `${source} to ${size}`);
        assert.equal(sha256(resized), expected, `${source} to ${size}`);
      }
    });
  }

  it(`pictures larger than one piece of memory: ${cases.large.length} cases`, () => {
    for (const { from: [width, height], size, filter, sha256: expected } of cases.large) {
      const data = new Uint8Array(width * height * 3);
      for (let i = 0, y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) data[i++] = 7 * x + 13 * y + 29 * c + x * y;
      }
      assert.equal(sha256(resizeImage({ data, width, height }, size[0], size[1], filter)), expected, `${width}×${height} to ${size} ${filter}`);
    }
  });

  it('rounds to 8 bits after the horizontal pass, which comes first', async () => {
    // The other order, made by turning the picture, gives other pixels: the test above can tell the two apart.
    const image = await fixture('noise-16x45.png');
    const turned = transpose(resizeImage(transpose(image), 31, 17, 'bicubic'));
    assert.ok(difference(turned, resizeImage(image, 17, 31, 'bicubic')).largest > 2);
  });
});

describe('resizeImage with a window', () => {
  it('returns the same pixels as resizing and then cutting', async () => {
    const image = await fixture('noise-37x23.png');
    for (const filter of RESAMPLE_FILTERS) {
      for (const [width, height] of [[50, 60], [20, 11], [37, 40], [60, 23], [37, 23]]) {
        const whole = resizeImage(image, width, height, filter);
        const part = { left: 7, top: 3, width: width - 11, height: height - 5 };
        const cut = resizeImage(image, width, height, filter, part);
        for (let y = 0; y < part.height; y++) {
          const from = ((y + part.top) * width + part.left) * 3;
          const row = whole.data.subarray(from, from + part.width * 3);
          assert.deepEqual([...cut.data.subarray(y * part.width * 3, (y + 1) * part.width * 3)], [...row], `${filter} ${width}×${height} row ${y}`);
        }
      }
    }
  });

  it('does not share memory with its input', async () => {
    const image = { width: 2, height: 2, data: new Uint8Array(12) };
    resizeImage(image, 2, 2, 'bilinear').data[0] = 9;
    assert.equal(image.data[0], 0);
  });
});

describe('resizeImage refuses', () => {
  const image = { width: 2, height: 2, data: new Uint8Array(12) };
  it('sizes that are no sizes', () => {
    for (const size of [0, -1, 1.5, Number.NaN]) assert.throws(() => resizeImage(image, size, 4, 'bilinear'), ImageError);
  });
  it('windows that leave the picture', () => {
    assert.throws(() => resizeImage(image, 4, 4, 'bilinear', { left: 2, top: 0, width: 3, height: 1 }), /not inside 4×4/);
  });
  it('sizes that fill the memory', () => {
    assert.throws(() => resizeImage(image, 60_000, 60_000, 'bilinear'), /larger than/);
    const thread = { width: 1, height: 3_000_000, data: new Uint8Array(9_000_000) };
    assert.throws(() => resizeImage(thread, 224, 224, 'bilinear'), /too extreme/);
  });
});

describe('shorterSideSize', () => {
  it('keeps the aspect ratio and rounds the longer side down', () => {
    assert.deepEqual(shorterSideSize(500, 375, 256), { width: 341, height: 256 });
    assert.deepEqual(shorterSideSize(375, 500, 256), { width: 256, height: 341 });
    assert.deepEqual(shorterSideSize(300, 300, 224), { width: 224, height: 224 });
  });
});

function transpose(image: { data: Uint8Array; width: number; height: number }) {
  const data = new Uint8Array(image.data.length);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      for (let channel = 0; channel < 3; channel++) data[(x * image.height + y) * 3 + channel] = image.data[(y * image.width + x) * 3 + channel];
    }
  }
  return { data, width: image.height, height: image.width };
}
