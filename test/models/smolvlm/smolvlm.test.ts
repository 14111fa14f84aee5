import assert from 'node:assert/strict';
import { tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../../lib/engine';
import { positionIdsOf, SmolVLMForConditionalGeneration, smolVLMSizes, toCamelCase, type SmolVLMOptions } from '../../../lib/models';
import { fillByFormula, formulaValues } from '../../formula';
import { every, relativeTo } from '../../relative-to';
import fixture from '../../fixtures/models/smolvlm.json';

interface Case {
  class: string; config: Record<string, unknown>; names: string[] | null; pictures: number[]; size: number; masked: string | null;
  inputIds: number[][]; attentionMask: number[][]; labels: number[][]; loss: number; logits: number[]; hiddenStates: number[][]; attentions: number[][];
  imageHiddenStates: number[]; tower?: { lastHiddenState: number[]; hiddenStates: number[][]; attentions: number[][] };
  gradients?: Record<string, number[]>; text: { inputIds: number[][]; logits: number[] };
  greedy: number[][]; beams: { sequences: number[][]; scores: number[] };
}
const cases = fixture as unknown as Case[];
const tiny = cases.filter(({ names }) => names), [first] = tiny, published = cases.at(-1)!;

const build = ({ config }: Case): SmolVLMForConditionalGeneration => {
  const model = new SmolVLMForConditionalGeneration(toCamelCase(config) as SmolVLMOptions);
  fillByFormula(model);
  return model;
};

const integers = (rows: number[][]): Tensor => tf.tensor2d(rows, undefined, 'int32');
const dispose = (...things: object[]): void => { tf.dispose(things as never); };

/** scripts/reference/smolvlm.py's pixels and their mask, with the changes of its `bottom`. */
function picturesOf({ pictures, size, masked }: Case): { pixelValues: Tensor; pixelAttentionMask?: Tensor } {
  const most = Math.max(...pictures), shape = [pictures.length, most, 3, size, size];
  const pixels = formulaValues('pixels', [pictures.length * most * 3 * size * size]).map((v) => v * 10);
  const mask = new Int32Array(pictures.length * most * size * size).fill(1);
  const blank = (text: number, picture: number, hidden: (y: number, x: number) => boolean) => {
    for (let i = 0; i < size * size; i++) {
      if (!hidden(Math.floor(i / size), i % size)) continue;
      mask[(text * most + picture) * size * size + i] = 0;
      for (let channel = 0; channel < 3; channel++) pixels[((text * most + picture) * 3 + channel) * size * size + i] = 0;
    }
  };
  for (const [text, count] of pictures.entries()) for (let picture = count; picture < most; picture++) blank(text, picture, () => true);
  if (masked === 'bottom') blank(0, 1, (y, x) => y >= 19 || x >= 10);
  return { pixelValues: tf.tensor(pixels, shape), ...(masked ? { pixelAttentionMask: tf.tensor(mask, [...shape.slice(0, 2), size, size], 'int32') } : {}) };
}

function inputsOf(expected: Case) {
  const attentionMask = integers(expected.attentionMask);
  return { inputIds: integers(expected.inputIds), attentionMask, positionIds: positionIdsOf(attentionMask), ...picturesOf(expected) };
}

const compareAll = (ours: Tensor[], theirs: number[][], count: number, what: string): void => {
  assert.equal(ours.length, theirs.length, what);
  for (const [i, values] of theirs.entries()) relativeTo(every(ours[i].dataSync(), count), values, 1e-5, `${what} ${i}`);
};

describe('SmolVLM', () => {
  for (const expected of tiny) {
    const what = `${expected.class} with ${expected.size} pixels, ${expected.pictures.join(', ')} pictures${expected.masked ? ', padding' : ''}`;
    it(`equals transformers' ${what}`, () => {
      const before = tensorCount();
      const model = build(expected), inputs = inputsOf(expected), labels = integers(expected.labels);
      assert.deepEqual([...model.namedParameters()].map(([name]) => name).sort(), expected.names!.sort());
      const outputs = model.forward({ ...inputs, labels, outputHiddenStates: true, outputAttentions: true });
      relativeTo(every(outputs.imageHiddenStates!.dataSync(), 200), expected.imageHiddenStates, 1e-5, 'image hidden states');
      relativeTo(outputs.loss!.dataSync(), [expected.loss], 1e-5, 'loss');
      relativeTo(every(outputs.logits.dataSync(), 200), expected.logits, 1e-5, 'logits');
      compareAll(outputs.hiddenStates!, expected.hiddenStates, 40, 'hidden state');
      compareAll(outputs.attentions!, expected.attentions, 40, 'attention');
      // Channels last are the same picture.
      const last = tf.transpose(inputs.pixelValues, [0, 1, 3, 4, 2]);
      const again = model.forward({ ...inputs, pixelValues: last });
      assert.deepEqual(again.logits.dataSync(), outputs.logits.dataSync());
      dispose(outputs, again, last, inputs, labels);
      model.dispose();
      assert.equal(tensorCount(), before);
    });

    it(`gives transformers' gradients of every parameter of ${what}`, () => {
      const before = tensorCount();
      const model = build(expected), inputs = inputsOf(expected), labels = integers(expected.labels);
      // A key's bias in the tower has a true gradient of zero.
      const named = [...model.namedParameters()].filter(([name]) => !/vision_model.*k_proj\.bias$/.test(name));
      const { value, gradients } = valueAndGradients(() => tf.tidy(() => model.forward({ ...inputs, labels }).loss!) as Scalar, named.map(([, p]) => p.tensor));
      assert.deepEqual(named.map(([name]) => name).sort(), Object.keys(expected.gradients!).sort());
      for (const [i, [name, parameter]] of named.entries()) {
        parameter.assign(gradients[i]!);
        relativeTo(every(parameter.save(), 24), expected.gradients![name], 1e-4, name);
      }
      dispose(value, inputs, labels);
      model.dispose();
      assert.equal(tensorCount(), before);
    });

    it(`generates what transformers does, greedy and with beams: ${what}`, () => {
      const before = tensorCount();
      const model = build(expected), { positionIds, ...inputs } = inputsOf(expected);
      const ids = { eosTokenId: 3, maxNewTokens: 8 };
      assert.deepEqual(model.generate(inputs, ids).sequences, expected.greedy);
      const beams = model.generate(inputs, { ...ids, numBeams: 3, numReturnSequences: 2, lengthPenalty: 0.5 });
      assert.deepEqual(beams.sequences, expected.beams.sequences);
      relativeTo(beams.sequencesScores, expected.beams.scores, 1e-5, 'scores');
      dispose(inputs, positionIds);
      model.dispose();
      assert.equal(tensorCount(), before);
    });

    it(`equals transformers' picture tower on a picture with padding, and text without pictures: ${what}`, () => {
      const before = tensorCount();
      const model = build(expected), inputs = picturesOf(expected);
      const side = expected.size / (expected.config.vision_config as { patch_size: number }).patch_size;
      const valid = Array.from({ length: side * side }, (_, i) => Number(Math.floor(i / side) < Math.floor(side / 2) && i % side < side - 1));
      const picture = tf.tidy(() => tf.squeeze(tf.slice(inputs.pixelValues, [0, 0, 0, 0, 0], [1, 1, -1, -1, -1]), [0])), mask = tf.tensor(valid, [1, side, side], 'int32');
      const outputs = model.model.vision_model.forward({ pixelValues: picture, patchAttentionMask: mask, outputHiddenStates: true, outputAttentions: true });
      relativeTo(every(outputs.lastHiddenState.dataSync()), expected.tower!.lastHiddenState, 1e-5, 'last hidden state');
      compareAll(outputs.hiddenStates!, expected.tower!.hiddenStates, 64, 'hidden state');
      compareAll(outputs.attentions!, expected.tower!.attentions, 64, 'attention');
      const inputIds = integers(expected.text.inputIds), text = model.forward({ inputIds });
      relativeTo(every(text.logits.dataSync()), expected.text.logits, 1e-5, 'logits of text alone');
      assert.equal(text.imageHiddenStates, undefined);
      dispose(outputs, inputIds, text, mask, picture, inputs);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  it('equals transformers\' at the size of the published 256M model', function () {
    this.timeout(180_000);
    const before = tensorCount();
    const model = build(published), inputs = inputsOf(published), labels = integers(published.labels);
    assert.equal(model.parameterCount(), 256_484_928);
    const outputs = model.forward({ ...inputs, labels, outputHiddenStates: true, outputAttentions: true });
    relativeTo(every(outputs.imageHiddenStates!.dataSync(), 200), published.imageHiddenStates, 1e-4, 'image hidden states');
    relativeTo(outputs.loss!.dataSync(), [published.loss], 1e-4, 'loss');
    relativeTo(every(outputs.logits.dataSync(), 200), published.logits, 1e-4, 'logits');
    for (const [i, values] of published.hiddenStates.entries()) relativeTo(every(outputs.hiddenStates![i].dataSync(), 40), values, 1e-4, `hidden state ${i}`);
    for (const [i, values] of published.attentions.entries()) relativeTo(every(outputs.attentions![i].dataSync(), 40), values, 1e-4, `attention ${i}`);
    dispose(outputs, inputs, labels);
    model.dispose();
    assert.equal(tensorCount(), before);
  });

  for (const [size, parameters] of [['256M', 256_484_928], ['500M', 507_482_304], ['2.2B', 2_246_272_880]] as const) {
    it(`has the published model's ${parameters} parameters at ${size}`, () => {
      const { visionConfig, textConfig, ...rest } = smolVLMSizes[size];
      // Without words and with a layer or none: every further word and layer counts the same.
      const count = (vision: number, text: number, vocabSize: number) => {
        const model = new SmolVLMForConditionalGeneration({ ...rest, visionConfig: { ...visionConfig, numHiddenLayers: vision }, textConfig: { ...textConfig, numHiddenLayers: text, vocabSize } });
        const parameters = model.parameterCount();
        model.dispose();
        return parameters;
      };
      const least = count(0, 0, 1);
      assert.equal(least + visionConfig.numHiddenLayers * (count(1, 0, 1) - least) + textConfig.numHiddenLayers * (count(0, 1, 1) - least)
        + (textConfig.vocabSize - 1) * (count(0, 0, 2) - least), parameters);
    });
  }

  it('gives pictures of many patches the same vectors together as one by one', () => {
    const model = new SmolVLMForConditionalGeneration({
      scaleFactor: 16, visionConfig: { hiddenSize: 4, intermediateSize: 4, numHiddenLayers: 1, numAttentionHeads: 2, imageSize: 64, patchSize: 1 },
      textConfig: { vocabSize: 9, hiddenSize: 8, intermediateSize: 4, numHiddenLayers: 1, numAttentionHeads: 2 },
    });
    const before = tensorCount();
    // 4096 patches and 2 heads: more than two pictures' scores are not held at a time.
    const pictures = tf.tensor(formulaValues('pixels', [3 * 3 * 64 * 64]), [1, 3, 3, 64, 64]);
    const together = model.model.imageFeatures(pictures);
    assert.deepEqual(together.shape, [3, 16, 8]);
    for (const [i, part] of tf.split(pictures, 3, 1).entries()) {
      const alone = model.model.imageFeatures(part), same = tf.slice(together, [i, 0, 0], [1, -1, -1]);
      relativeTo(alone.dataSync(), same.dataSync(), 1e-6, `picture ${i}`);
      dispose(alone, same, part);
    }
    dispose(together, pictures);
    assert.equal(tensorCount(), before);
    model.dispose();
  });

  it('keeps one picture where all are zero, as transformers does', () => {
    const model = build(first), zeros = tf.zeros([2, 2, 3, 32, 32]), features = model.model.imageFeatures(zeros);
    assert.deepEqual(features.shape, [1, 4, 24]);
    dispose(zeros, features);
    model.dispose();
  });

  it('refuses pictures and texts that do not fit together, saying what was expected', () => {
    const model = build(first), inputs = inputsOf(first);
    const { inputIds, pixelValues } = inputs;
    const fewer = tf.slice(inputIds, [0, 0], [3, 12]), flat = tf.zeros([2, 3, 32, 32]), embeds = tf.zeros([3, 19, 24]), small = tf.zeros([3, 3, 31, 32], 'int32');
    const odd = tf.ones([1, 1, 3, 24, 24]), thin = tf.ones([1, 1, 3, 16, 64]), grey = tf.ones([1, 1, 2, 16, 16]), patches = tf.ones([1, 3, 4], 'int32'), square = tf.ones([1, 3, 32, 32]);
    const before = tensorCount();
    assert.throws(() => model.forward({ inputIds: fewer, pixelValues }), /inputIds hold the image token 50 \d+ times, but 6 pictures of 4 vectors need it 24 times/);
    assert.throws(() => model.forward({ inputIds, pixelValues: flat }), /pixelValues have the shape \[2,3,32,32\]: expected \[batch, pictures, 3, height, width\]/);
    assert.throws(() => model.forward({ inputIds, pixelValues: grey }), /pixelValues have the shape \[1,2,16,16\]: expected \[batch, 3, height, width\]/);
    assert.throws(() => model.forward({ inputIds, pixelValues, pixelAttentionMask: small }), /pixelAttentionMask has the shape \[3,3,31,32\]: expected \[3, 3, 32, 32\]/);
    assert.throws(() => model.forward({ inputIds, pixelValues: odd }), /9 patches are no square whose side divides by scaleFactor 2/);
    assert.throws(() => model.forward({ inputIds, pixelValues: thin }), /2×8 patches/);
    assert.throws(() => model.forward({ inputIds, inputsEmbeds: embeds, pixelValues }), /give inputIds, not inputsEmbeds/);
    assert.throws(() => model.generate({ inputIds: fewer, pixelValues }, { maxNewTokens: 2, padTokenId: null }), /inputIds hold the image token 50/);
    assert.throws(() => model.forward({ inputIds, pixelAttentionMask: inputs.pixelAttentionMask }), /pixelAttentionMask was given without pixelValues/);
    assert.throws(() => model.model.vision_model.forward({ pixelValues: square, patchAttentionMask: patches }), /patchAttentionMask has the shape \[1,3,4\]: expected \[1, 4, 4\]/);
    assert.equal(tensorCount(), before);
    dispose(inputs, fewer, flat, embeds, small, odd, thin, grey, patches, square);
    model.dispose();
  });
});
