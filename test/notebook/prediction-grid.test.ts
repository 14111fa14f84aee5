import assert from 'node:assert/strict';
import sharp from 'sharp';
import { predictionBundle, predictionGrid } from '../../lib/notebook/prediction-grid';
import { drawn } from '../drawn-picture';
import { inFakeNotebook } from './fake-kernel';

const image = drawn(80, 80);
const top = [{ name: 'cat', probability: 0.755 }, { name: '<dog>', probability: 0.2 }, { name: 'tree', probability: 0.045 }];

describe('predictionGrid', () => {
  it('draws bars as long as the classes are likely, the right one in its own colour', async () => {
    const bundle = await predictionBundle([{ image, top, truth: 'cat' }], { size: 100, title: 'Pictures' });
    const { 'image/jpeg': picture, 'text/plain': text } = bundle;
    assert.equal(text, 'Pictures\ncat: cat 76 %, <dog> 20 %, tree 4.5 %');
    const { data, info } = await sharp(Buffer.from(String(picture), 'base64')).raw().toBuffer({ resolveWithObject: true });
    assert.equal(info.width, 120);
    /** Where in a line of the sheet the colour of a bar ends, from the left edge of the panel on. */
    const length = (bar: number, [r, g, b]: number[]): number => {
      // Below the title: the square, the line that says what it is, and of each bar a line above its letters.
      const y = 36 + 100 + 24 + 20 * bar + 1;
      let reached = 0;
      for (let x = 0; x < 100; x++) {
        const at = (y * info.width + 10 + x) * 3;
        if (Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 60) reached = x + 1;
      }
      return reached;
    };
    const [right, other] = [[0x8f, 0xd3, 0xb6], [0xc9, 0xd6, 0xe2]];
    assert.ok(Math.abs(length(0, right) - 75.5) <= 3, `${length(0, right)}`);
    assert.ok(Math.abs(length(1, other) - 20) <= 3, `${length(1, other)}`);
  });

  it('has a title above the bars, the truth unless another is given', async () => {
    const items = [{ image, top: top.slice(0, 1), truth: 'cat', title: 'picture 1' }, { image, top: [] }];
    const { 'text/plain': text } = await predictionBundle(items);
    assert.equal(text, 'picture 1: cat 76 %');
    const [shown] = await inFakeNotebook(() => predictionGrid([{ image, top }]));
    assert.equal(shown.data['text/plain'], 'cat 76 %, <dog> 20 %, tree 4.5 %');
  });

  it('refuses no pictures, sizes out of range and probabilities that are none', async () => {
    await assert.rejects(predictionBundle([]), /no pictures/);
    await assert.rejects(predictionBundle([{ image, top }], { size: 10 }), /size 60 to 1024; got 4 and 10/);
    const wrong = { image, top: [{ name: 'cat', probability: 1.2 }], truth: 'dog' };
    await assert.rejects(predictionBundle([wrong]), /dog is cat with probability 1.2/);
  });
});
