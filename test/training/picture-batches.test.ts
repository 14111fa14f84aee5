import assert from 'node:assert/strict';
import * as path from 'node:path';
import { CaptionDataset, loadScenes } from '../../lib/datasets';
import { tensorCount, tf } from '../../lib/engine';
import { ImageProcessor } from '../../lib/images';
import { Tokenizer } from '../../lib/tokenizers';
import { PictureBatches } from '../../lib/training';

const tokenizer = Tokenizer.fromPretrained(path.join(__dirname, '..', 'fixtures', 'tokenizers', 'byte-level-bpe'));
const processor = new ImageProcessor({ size: { height: 16, width: 16 } });
const dataset = new CaptionDataset('few', loadScenes().split('train').records.slice(0, 5));
const options = { dataset, processor, tokenizer, batchSize: 2, maxTokens: 12 };
const end = tokenizer.eosTokenId!;

async function rowsOf(batches: PictureBatches, index: number, order = batches.order(0)): Promise<{ inputs: number[][]; labels: number[][]; pixels: number[] }> {
  const { pixelValues, decoderInputIds, labels } = await batches.batch(order, index);
  const rows = { inputs: decoderInputIds.arraySync(), labels: labels.arraySync(), pixels: pixelValues.shape };
  tf.dispose([pixelValues, decoderInputIds, labels]);
  return rows;
}

describe('PictureBatches', () => {
  it('gives what to read and what to write, one token on, filled to the right', async () => {
    const before = tensorCount();
    const batches = new PictureBatches(options);
    assert.equal(batches.stepsPerEpoch, 13);
    const { inputs, labels, pixels } = await rowsOf(batches, 0);
    assert.deepEqual(pixels, [2, 16, 16, 3]);
    for (const [row, caption] of dataset.records[0].captions.slice(0, 2).entries()) {
      const ids = [...tokenizer.encode(caption, { addSpecialTokens: false }).inputIds.slice(0, 11), end];
      const length = inputs[row].length, rest = length - ids.length;
      assert.deepEqual(inputs[row].slice(0, ids.length), [tokenizer.bosTokenId, ...ids.slice(0, -1)]);
      assert.deepEqual(labels[row], [...ids, ...new Array<number>(rest).fill(-100)]);
    }
    const longest = Math.max(...labels.map((row) => row.filter((id) => id !== -100).length)), width = inputs[0].length;
    assert.ok(width >= longest && width < longest + 4, `${width} wide for ${longest} tokens`);
    assert.equal(tensorCount(), before);
  });

  it('an epoch is all captions, or one a picture', () => {
    const one = new PictureBatches({ ...options, seed: 3, captionsPerEpoch: 'one' });
    assert.equal(new PictureBatches({ ...options, seed: 3 }).order(4).length, 25);
    assert.equal(one.stepsPerEpoch, 3);
    assert.deepEqual(Array.from(one.order(1), (i) => Math.floor(i / 5)).sort(), [0, 1, 2, 3, 4]);
  });

  it('refuses a tokenizer without an end, and data without captions', () => {
    const nameless = Object.create(tokenizer, { eosTokenId: { value: null }, sepTokenId: { value: null } }) as Tokenizer;
    assert.throws(() => new PictureBatches({ ...options, tokenizer: nameless }), /names neither an end token nor a separator/);
    assert.throws(() => new PictureBatches({ ...options, dataset: new CaptionDataset('none', []) }), /none has no captions to train on/);
  });
});
