import assert from 'node:assert/strict';
import { centerCrop, cropImage } from '../../lib/images';
import { drawn } from '../drawn-picture';

const picture = drawn(5, 4);
const pixel = ({ data, width }: typeof picture, x: number, y: number): number[] =>
  [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];

describe('cropImage', () => {
  it('shows what the window shows, black where that lies outside', () => {
    const windows = [[1, 2, 3, 2], [-2, -1, 4, 3], [3, 2, 4, 5], [-1, -1, 8, 8], [9, 0, 2, 2], [0, -3, 2, 2], [-4, 1, 2, 2]];
    for (const [left, top, width, height] of windows) {
      const part = cropImage(picture, { left, top, width, height });
      assert.deepEqual([part.width, part.height, part.data.length], [width, height, width * height * 3]);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const [fromX, fromY] = [left + x, top + y], inside = fromX >= 0 && fromX < 5 && fromY >= 0 && fromY < 4;
          const expected = inside ? pixel(picture, fromX, fromY) : [0, 0, 0];
          assert.deepEqual(pixel(part, x, y), expected, [left, top, width, height, x, y].join(' '));
        }
      }
    }
    assert.deepEqual(centerCrop(picture, 3, 2), cropImage(picture, { left: 1, top: 1, width: 3, height: 2 }));
  });

  it('takes whole pixels only', () => {
    assert.throws(() => cropImage(picture, { left: 0.5, top: 0, width: 1, height: 1 }), /1×1 at \(0\.5, 0\); expected whole pixels/);
    assert.throws(() => cropImage(picture, { left: 0, top: 0, width: 0, height: 1 }), /0×1/);
  });
});
