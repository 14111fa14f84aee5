import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tensorCount, tf, type Tensor } from '../../../lib/engine';
import { load, save, SmolVLMForConditionalGeneration, SmolVLMProcessor } from '../../../lib/models';
import { Tokenizer, type ChatMessage } from '../../../lib/tokenizers';
import { drawn } from '../../drawn-picture';
import published from '../../fixtures/smolvlm-processor/published.json';
import tiny from '../../fixtures/smolvlm-processor/tiny.json';

interface Expected {
  cases: { messages: ChatMessage[]; prompt: string; sizes: [number, number][]; ids: [number, number][] }[];
  together: { ids: [number, number][][]; attentionMask: [number, number][][] };
}

const FOLDER = path.resolve(__dirname, '../../fixtures/smolvlm-processor/tiny');
/** Folders of published files; TOKENIZERS_DIR names another place. */
const PUBLISHED = path.join(process.env.TOKENIZERS_DIR ?? path.resolve(__dirname, '../../../../shared/tokenizers'), 'smolvlm-256m');

const pictures = (sizes: readonly [number, number][]) => sizes.map(([width, height]) => drawn(width, height));
const spelt = (runs: readonly [number, number][]): number[] => runs.flatMap(([id, times]) => new Array<number>(times).fill(id));

async function agrees(processor: SmolVLMProcessor, { cases, together }: Expected): Promise<void> {
  const before = tensorCount();
  for (const { messages, prompt, sizes, ids } of cases) {
    const text = processor.applyChatTemplate(messages, { addGenerationPrompt: true });
    assert.equal(text, prompt);
    const batch = await processor.process({ text, images: pictures(sizes) });
    assert.deepEqual(batch.inputIds.arraySync(), [spelt(ids)]);
    assert.deepEqual(new Set(batch.attentionMask.dataSync()), new Set([1]));
    assert.equal(batch.pixelValues === undefined, sizes.length === 0);
    // As many words for pictures as the tiles need.
    const places = spelt(ids).filter((id) => id === processor.tokenizer.tokenToId('<image>')).length;
    assert.equal(places, (batch.pixelValues?.shape[1] ?? 0) * processor.imageSeqLen);
    tf.dispose(batch as never);
  }
  const [first, second] = cases, text = [first.prompt, second.prompt];
  for (const images of [[pictures(first.sizes), pictures(second.sizes)], pictures([...first.sizes, ...second.sizes])]) {
    const batch = await processor.process({ text, images });
    assert.deepEqual(batch.inputIds.arraySync(), together.ids.map(spelt));
    assert.deepEqual(batch.attentionMask.arraySync(), together.attentionMask.map(spelt));
    assert.equal(batch.pixelValues!.shape[0], 2);
    assert.deepEqual(batch.pixelAttentionMask!.shape, batch.pixelValues!.shape.slice(0, 4));
    tf.dispose(batch as never);
  }
  assert.equal(tensorCount(), before);
}

describe('SmolVLMProcessor', () => {
  it('gives transformers\' ids for conversations with pictures of several sizes, padded on the left', () => agrees(SmolVLMProcessor.fromPretrained(FOLDER), tiny.prompts as never));

  it('does so with SmolVLM-256M\'s published files', async function () {
    this.timeout(60_000);
    if (!fs.existsSync(PUBLISHED)) {
      console.log(`      skipped: ${PUBLISHED} is not there`);
      this.skip();
    }
    const processor = SmolVLMProcessor.fromPretrained(PUBLISHED);
    assert.deepEqual([processor.imageSeqLen, processor.imageProcessor.config.size, processor.imageProcessor.config.maxImageSize], [64, { longestEdge: 2048 }, { longestEdge: 512 }]);
    await agrees(processor, published as never);
    assert.ok(load(PUBLISHED).processor instanceof SmolVLMProcessor);
  });

  it('puts one place a picture where pictures are not cut, and fills on the right when told to', async () => {
    const processor = SmolVLMProcessor.fromPretrained(FOLDER, { doImageSplitting: false });
    const { inputIds, attentionMask, pixelValues, pixelAttentionMask } = await processor.process({ text: ['<image>x', 'y'], images: [drawn(90, 20)], paddingSide: 'right' });
    const id = (token: string) => processor.tokenizer.tokenToId(token)!;
    const around = id('<fake_token_around_image>'), ends = [...new Array<number>(4).fill(id('<image>')), around, id('x')];
    assert.deepEqual(inputIds.arraySync(), [[around, id('<global-img>'), ...ends], [id('y'), ...new Array<number>(7).fill(processor.tokenizer.padTokenId!)]]);
    assert.deepEqual((attentionMask.arraySync() as number[][])[1], [1, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(pixelValues!.shape, [2, 1, 32, 32, 3]);
    tf.dispose([inputIds, attentionMask, pixelValues!, pixelAttentionMask!]);
  });

  it('refuses prompts that do not have as many places as pictures, and tokenizers of other models', async () => {
    const processor = SmolVLMProcessor.fromPretrained(FOLDER), before = tensorCount();
    await assert.rejects(processor.process({ text: '<image>', images: [] }), /The prompts hold <image> 1 times, but there are 0 pictures/);
    await assert.rejects(processor.process({ text: ['<image>', ''], images: [[drawn(4, 4)], [drawn(4, 4)]] }), /hold <image> 1, 0 times, but there are 1, 1 pictures/);
    await assert.rejects(processor.process({ text: 'a', images: [drawn(4, 4)] }), /hold <image> 0 times, but there are 1 pictures/);
    await assert.rejects(processor.process({ text: [] }), /no text/);
    await assert.rejects(processor.process({ text: '' }), /The text is empty/);
    assert.equal(tensorCount(), before);
    const other = Tokenizer.fromPretrained(path.resolve(FOLDER, '../../tokenizers/byte-level-bpe'));
    assert.throws(() => new SmolVLMProcessor(processor.imageProcessor, other, 4), /The tokenizer has no <fake_token_around_image>, <image>, <global-img>/);
  });

  it('is saved and loaded with its network, which then describes a picture', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'smolvlm-'));
    const before = tensorCount();
    try {
      const processor = SmolVLMProcessor.fromPretrained(FOLDER), { tokenizer } = processor;
      const model = new SmolVLMForConditionalGeneration({
        imageTokenId: tokenizer.tokenToId('<image>')!, scaleFactor: 2, visionConfig: { hiddenSize: 12, intermediateSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, imageSize: 32, patchSize: 8 },
        textConfig: { vocabSize: tokenizer.vocabularySize, hiddenSize: 16, intermediateSize: 24, numHiddenLayers: 1, numAttentionHeads: 2, padTokenId: tokenizer.padTokenId },
      });
      save(folder, { model, processor, tokenizer });
      const loaded = load(folder, { as: SmolVLMForConditionalGeneration });
      const text = loaded.processor!.applyChatTemplate([{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'Describe this image.' }] }], { addGenerationPrompt: true });
      const inputs = await loaded.processor!.process({ text, images: [drawn(70, 41)] });
      const ours = loaded.model.generate(inputs, { maxNewTokens: 6 }), theirs = model.generate(inputs, { maxNewTokens: 6 });
      assert.deepEqual(ours.sequences, theirs.sequences);
      assert.equal(ours.sequences[0].length, inputs.inputIds.shape[1]! + 6);
      tf.dispose(Object.values(inputs) as Tensor[]);
      model.dispose();
      loaded.model.dispose();
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
    assert.equal(tensorCount(), before);
  });
});
