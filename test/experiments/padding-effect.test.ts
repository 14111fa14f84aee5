import assert from 'node:assert/strict';
import { Random, tensorCount } from '../../lib/engine';
import { buildVitGpt2Prompt, paddedPieces, paddingEffect, vitGpt2Prompt } from '../../lib/experiments';
import { encodedScenes, fewScenes } from './few-scenes';

describe('left padding of prompted captions', function suite() {
  this.timeout(60_000);
  const { small } = vitGpt2Prompt, dataset = fewScenes(4, 1), encoded = encodedScenes(small, dataset);

  it('changes no loss where positions are counted from the text, and does where they are counted from the batch\'s edge', async () => {
    const { encoder, features } = encoded, before = tensorCount(), captioner = buildVitGpt2Prompt(small, encoder, new Random(1));
    const [none, some] = await paddingEffect({ captioner, dataset: dataset.split('train'), features, columns: [0, 9], maxWords: 31 });
    assert.deepEqual([none.columns, some.columns], [0, 9]);
    assert.ok(Math.abs(none.text - some.text) < 1e-4, `${none.text}, behind 9 columns ${some.text}`);
    assert.ok(Math.abs(none.batch - some.batch) > 1e-2, `${none.batch}, behind 9 columns ${some.batch}`);
    captioner.decoder.dispose();
    assert.equal(tensorCount(), before);
  });

  it('looks like this', () => {
    const config = { ...small, prompt: 'on: ' }, before = tensorCount();
    const captioner = buildVitGpt2Prompt(config, encoded.encoder, new Random(1));
    const [short, long] = paddedPieces(captioner, ['a tree', 'a tree on a tree']), end = '"<|endoftext|>"', none = '−100';
    const pieces = captioner.vocabulary.encode('a tree').map((id) => JSON.stringify(captioner.tokenizer.decode([id])));
    const padding = long.length - short.findIndex(({ mask }) => mask === 1) - 3 - pieces.length;
    assert.equal(padding, 0, 'end token, two pieces of the prompt, and the words fill the row to its right edge');
    const words = short.slice(-pieces.length - 1);
    assert.deepEqual(words.map(({ input }) => input), ['":"', ...pieces]);
    assert.deepEqual(words.map(({ label }) => label), [...pieces, end]);
    assert.deepEqual(words.map(({ position }) => position), [...words.keys()].map((i) => i + 2));
    assert.deepEqual(short[0], { column: 0, input: end, mask: 0, position: 0, label: none });
    assert.deepEqual(long[0], { column: 0, input: end, mask: 1, position: 0, label: none });
    captioner.decoder.dispose();
    assert.equal(tensorCount(), before);
  });
});
