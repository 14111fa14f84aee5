import assert from 'node:assert/strict';
import { boxBlur } from '../../lib/images/blur';
import { occlude, occludedCellCount, occludedCells, OcclusionOptions } from '../../lib/images/occlude';
import { ImageError, RgbImage } from '../../lib/images/rgb-image';

/** A picture without black, of which every pixel differs from its neighbours. */
function picture(width: number, height: number): RgbImage {
  return { data: Uint8Array.from({ length: width * height * 3 }, (_, i) => 1 + ((i * 37) % 255)), width, height };
}
const pixel = ({ data, width }: RgbImage, x: number, y: number) => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
const isBlack = (image: RgbImage, x: number, y: number) => pixel(image, x, y).every((value) => value === 0);
const changed = (a: RgbImage, b: RgbImage) => {
  let count = 0;
  for (let i = 0; i < a.data.length; i += 3) if ([0, 1, 2].some((c) => a.data[i + c] !== b.data[i + c])) count++;
  return count;
};
/** The covered cells as rows of text. */
const drawn = (level: number, options: OcclusionOptions, rows: number, columns: number) => {
  const cells = new Set(occludedCells(level, { ...options, grid: [rows, columns] }));
  const line = (row: number) => Array.from({ length: columns }, (_, column) => (cells.has(row * columns + column) ? '#' : '.')).join('');
  return Array.from({ length: rows }, (_, row) => line(row));
};

describe('occlusion', () => {
  it('covers as many cells as the report: 26, 128 and 205 of 256', () => {
    for (const [level, count] of [[0, 0], [10, 26], [50, 128], [80, 205], [100, 256]] as const) {
      assert.equal(occludedCellCount(256, level), count);
      for (const pattern of ['random', 'center', 'border'] as const) {
        const cells = occludedCells(level, { pattern, name: 'a.jpg' });
        assert.equal(new Set(cells).size, count);
        assert.ok(cells.every((cell, i) => cell >= 0 && cell < 256 && (i === 0 || cell > cells[i - 1])));
      }
    }
    assert.equal(occludedCellCount(5, 10), 1, 'a half rounds up');
    const image = picture(224, 224);
    assert.equal(changed(occlude(image, 10), image), 26 * 14 * 14);
  });

  it('draws cells by seed and name alone', () => {
    // Pinned: a change of these numbers changes every published table.
    assert.deepEqual(occludedCells(2, { name: 'a.jpg' }), [32, 64, 112, 144, 221]);
    assert.deepEqual(occludedCells(50, { name: 'a.jpg' }), occludedCells(50, { name: 'a.jpg', seed: 42, fill: 'noise' }));
    assert.notDeepEqual(occludedCells(50, { name: 'a.jpg' }), occludedCells(50, { name: 'b.jpg' }));
    assert.notDeepEqual(occludedCells(50, { name: 'a.jpg' }), occludedCells(50, { name: 'a.jpg', seed: 43 }));
  });

  it('chooses every cell about equally often', () => {
    const times = new Int32Array(256);
    for (let i = 0; i < 4000; i++) for (const cell of occludedCells(10, { name: `${i}.jpg` })) times[cell]++;
    const expected = (4000 * 26) / 256;
    const chi2 = times.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) / (1 - 26 / 256);
    // 255 degrees of freedom: mean 255, deviation 22.6.
    assert.ok(chi2 > 255 - 4 * 22.6 && chi2 < 255 + 4 * 22.6, `chi² ${chi2}`);
  });

  it('covers more at a higher level, and draws anew if told so', () => {
    const low = occludedCells(10, { name: 'a.jpg' });
    const high = new Set(occludedCells(50, { name: 'a.jpg' }));
    assert.ok(low.every((cell) => high.has(cell)));
    const free = occludedCells(10, { name: 'a.jpg', nested: false });
    const freeHigh = new Set(occludedCells(50, { name: 'a.jpg', nested: false }));
    assert.equal(free.length, 26);
    assert.ok(!free.every((cell) => freeHigh.has(cell)));
  });

  it('covers a block in the middle or a ring along the edges', () => {
    assert.deepEqual(drawn(25, { pattern: 'center' }, 4, 4), ['....', '.##.', '.##.', '....']);
    assert.deepEqual(drawn(75, { pattern: 'border' }, 4, 4), ['####', '#..#', '#..#', '####']);
    assert.deepEqual(drawn(36, { pattern: 'center' }, 5, 5), ['.....', '.###.', '.###.', '.###.', '.....']);
    assert.deepEqual(drawn(20, { pattern: 'center' }, 5, 5), ['.....', '..#..', '.###.', '..#..', '.....'], 'sides before corners');
    assert.deepEqual(drawn(25, { pattern: 'center' }, 4, 8), ['........', '..####..', '..####..', '........'], 'in proportion');
    const [middle, ring] = (['center', 'border'] as const).map((pattern) => occludedCells(50, { pattern }));
    assert.deepEqual([...middle, ...ring].sort((a, b) => a - b), Array.from({ length: 256 }, (_, i) => i), 'two halves of the picture');
  });

  it('leaves no gap and no overlap where the size does not divide by the grid', () => {
    for (const [width, height] of [[224, 224], [17, 16], [50, 333], [639, 427]]) {
      const image = picture(width, height);
      const all = occlude(image, 100);
      assert.ok(all.data.every((value) => value === 0));
      const cells = new Set(occludedCells(50, { name: 'x' }));
      const half = occlude(image, 50, { name: 'x' });
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          // The cell whose rounded edges hold this pixel.
          const column = [...Array(16).keys()].find((c) => x < Math.round(((c + 1) * width) / 16))!;
          const row = [...Array(16).keys()].find((r) => y < Math.round(((r + 1) * height) / 16))!;
          if (cells.has(row * 16 + column) !== isBlack(half, x, y)) assert.fail(`${width}×${height}: pixel ${x}, ${y}`);
        }
      }
    }
  });

  it('leaves the given picture alone, and hands it back at level 0', () => {
    const image = picture(32, 32);
    const before = Uint8Array.from(image.data);
    assert.equal(occlude(image, 0), image);
    for (const fill of ['black', 'mean', 'noise', 'blur'] as const) occlude(image, 80, { fill });
    assert.deepEqual(image.data, before);
  });

  it('fills with the mean colour', () => {
    const image = { data: Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => [i < 96 ? 10 : 20, 200, i % 2][i % 3]), width: 8, height: 8 };
    const mean = [0, 1, 2].map((c) => Math.round(image.data.filter((_, i) => i % 3 === c).reduce((a, b) => a + b) / 64));
    assert.equal(mean[0], 15);
    const filled = occlude(image, 25, { grid: 2, fill: 'mean', pattern: 'border' });
    assert.equal(changed(filled, image), 16);
    const [cell] = occludedCells(25, { grid: 2, pattern: 'border' });
    assert.deepEqual(pixel(filled, (cell % 2) * 4, Math.floor(cell / 2) * 4), mean);
  });

  it('fills with noise that is the same at every level and differs between pictures', () => {
    const image = picture(64, 64);
    const low = occlude(image, 10, { fill: 'noise', name: 'a' });
    const high = occlude(image, 50, { fill: 'noise', name: 'a' });
    for (const cell of occludedCells(10, { name: 'a' })) {
      const [x, y] = [(cell % 16) * 4, Math.floor(cell / 16) * 4];
      for (let i = 0; i < 16; i++) assert.deepEqual(pixel(low, x + (i % 4), y + (i >> 2)), pixel(high, x + (i % 4), y + (i >> 2)));
    }
    const all = occlude(image, 100, { fill: 'noise', name: 'a' }).data;
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    // Uniform over 0 … 255: deviation 73.9 a value, 0.67 of the mean of 12288.
    assert.ok(Math.abs(mean - 127.5) < 4 * 0.67, `${mean}`);
    assert.notDeepEqual(occlude(image, 100, { fill: 'noise', name: 'b' }).data, all);
  });

  it('fills with the picture blurred', () => {
    const image = picture(64, 48);
    const blurred = boxBlur(image, 4, 3);
    const filled = occlude(image, 50, { fill: 'blur', name: 'a' });
    const cells = new Set(occludedCells(50, { name: 'a' }));
    for (let y = 0; y < 48; y++) {
      for (let x = 0; x < 64; x++) {
        const source = cells.has(Math.floor(y / 3) * 16 + Math.floor(x / 4)) ? blurred : image;
        if (pixel(filled, x, y).join() !== pixel(source, x, y).join()) assert.fail(`pixel ${x}, ${y}`);
      }
    }
  });

  it('says what is wrong', () => {
    const image = picture(32, 32);
    const wrong = (options: object, level = 10) => () => occlude(image, level, options as OcclusionOptions);
    assert.throws(wrong({}, 101), /the level is 101; expected a percentage, 0 to 100/);
    assert.throws(wrong({}, NaN), /the level is NaN/);
    assert.throws(wrong({ grid: 0 }), /the grid is 0×0; expected whole numbers/);
    assert.throws(wrong({ grid: [4, 2.5] }), /the grid is 4×2\.5/);
    assert.throws(wrong({ fill: 'white' }), /fill is "white"; expected black, mean, noise, blur/);
    assert.throws(wrong({ pattern: 'diagonal' }), /pattern is "diagonal"; expected random, center, border/);
    assert.throws(wrong({ seed: 1.5 }), /the seed is 1\.5/);
    const small = picture(15, 32);
    const named = (error: unknown) => error instanceof ImageError && /^a\.jpg: 15×32 pixels .* into 16×16/.test(error.message);
    assert.throws(() => occlude(small, 10, { name: 'a.jpg' }), named);
    assert.throws(() => occlude('a.jpg' as never, 10), /expected pixels/);
  });
});

describe('boxBlur', () => {
  it('keeps an even picture, and the mean of any away from the edges', () => {
    const even = { data: new Uint8Array(20 * 10 * 3).fill(77), width: 20, height: 10 };
    assert.deepEqual(boxBlur(even, 8, 8).data, even.data);
    const dot = { data: new Uint8Array(61 * 61 * 3), width: 61, height: 61 };
    dot.data[(30 * 61 + 30) * 3 + 1] = 255;
    const { data } = boxBlur(dot, 2, 2);
    // Three boxes of 3: 1 3 6 7 6 3 1 over 27, across and down.
    const kernel = [1, 3, 6, 7, 6, 3, 1].map((weight) => weight / 27);
    for (let dy = -3; dy <= 3; dy++) {
      for (let dx = -3; dx <= 3; dx++) {
        assert.equal(data[((30 + dy) * 61 + 30 + dx) * 3 + 1], Math.round(255 * kernel[dx + 3] * kernel[dy + 3]));
      }
    }
    assert.ok(data.every((value, i) => i % 3 === 1 || value === 0), 'channels apart');
  });
});
