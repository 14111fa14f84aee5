import assert from 'node:assert/strict';
import sharp from 'sharp';
import { attentionBundle, attentionPicture } from '../../lib/notebook/attention-grid';

const white = { data: new Uint8Array(80 * 40 * 3).fill(255), width: 80, height: 40 };

/** Brightness (red channel) of a place in a picture. */
async function brightness(encoded: Buffer, x: number, y: number): Promise<number> {
  const { data, info } = await sharp(encoded).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return data[(y * info.width + x) * info.channels];
}

describe('attentionGrid', () => {
  it('is bright where the weights are and dim elsewhere, smoothly in between', async () => {
    // One panel of 80×40 at (10, 10), weights all in the left of two cells.
    const picture = await attentionPicture(white, ['dog'], [[[1, 0]]], { size: 80, original: false, columns: 1 });
    const { width, height } = await sharp(picture).metadata();
    assert.deepEqual([width, height], [80 + 20, 10 + 40 + 16 + 10]);
    const line = await Promise.all([15, 40, 50, 60, 85].map((x) => brightness(picture, x, 30)));
    assert.ok(line[0] > 225 && line[4] < 110, line.join());
    assert.ok(line.every((value, i) => i === 0 || value <= line[i - 1] + 2), `falls from left to right: ${line.join()}`);
    assert.ok(line[2] < line[0] - 20 && line[2] > line[4] + 20);
  });

  it('puts the picture first and then a panel a word, in rows', async () => {
    const words = ['a', 'b', 'c', 'd'];
    const bundle = await attentionBundle(white, words, words.map(() => new Float32Array(9).fill(1 / 9)), { size: 80, columns: 3 });
    const { width, height } = await sharp(Buffer.from(String(bundle['image/png']), 'base64')).metadata();
    assert.deepEqual([width, height], [3 * 80 + 4 * 10, 10 + 2 * (40 + 16 + 10)]);
    assert.equal(bundle['text/plain'], '[attention for each word: a b c d]');
  });

  it('scales each word by itself, or all alike', async () => {
    const maps = [[[0.1, 0.1]], [[1, 1]]];
    const own = await attentionPicture(white, ['x', 'y'], maps, { size: 80, original: false, columns: 2 });
    const shared = await attentionPicture(white, ['x', 'y'], maps, { size: 80, original: false, columns: 2, scale: 'shared' });
    assert.ok(Math.abs(await brightness(own, 50, 30) - await brightness(own, 140, 30)) < 8);
    assert.ok(await brightness(shared, 50, 30) < await brightness(shared, 140, 30) - 80);
  });

  it('says what does not fit together', async () => {
    await assert.rejects(attentionPicture(white, ['a', 'b'], [[1]]), /2 words but 1 attention maps/);
    await assert.rejects(attentionPicture(white, ['a'], [[1, 2, 3]]), /map of "a" has 3 weights, which is no square/);
    await assert.rejects(attentionPicture(white, ['a'], [[1, 2, 3]], { shape: [2, 2] }), /is not 2×2/);
    await assert.rejects(attentionPicture(white, ['a'], [[NaN]]), /holds NaN/);
    await assert.rejects(attentionPicture(white, ['a'], [[[1, 2], [3]]]), /3 weights/);
  });
});
