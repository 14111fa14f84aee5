import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { PretrainedCaptioner, PromptedCaptioner, type ImageEncoder } from '../../lib/captioners';
import { loadScenes } from '../../lib/datasets';
import { Random, tensorCount, tf } from '../../lib/engine';
import { buildVitGpt2Prompt, loadEncoder, vitGpt2Prompt } from '../../lib/experiments';
import type { GenerationConfig } from '../../lib/generation';
import { toCamelCase } from '../../lib/models';
import { closeTo } from '../close-to';
import { expected, promptedGpt2 } from './prompted-gpt2';

describe('PromptedCaptioner', function suite() {
  this.timeout(60_000);
  const pictures = loadScenes().split('test').records.slice(0, 3).map(({ image }) => image), { small } = vitGpt2Prompt;
  let encoder: ImageEncoder, captioner: PromptedCaptioner;
  before(() => {
    encoder = loadEncoder(small);
    captioner = buildVitGpt2Prompt(small, encoder, new Random(3));
  });
  after(() => captioner.dispose());

  it('goes on from beginnings of different lengths in one batch as transformers\' generate', () => {
    const { model, features } = promptedGpt2(), { weight } = model.decoder.transformer.ln_f;
    weight.assign(tf.mul(weight.tensor, 2));
    const rows = expected.beginnings.map((ids) => [expected.end, ...ids]), length = Math.max(...rows.map((row) => row.length));
    const left = (values: number[][], filling: number) =>
      tf.tensor2d(values.map((row) => [...new Array<number>(length - row.length).fill(filling), ...row]), undefined, 'int32');
    const decoderInputIds = left(rows, expected.end), decoderAttentionMask = left(rows.map((row) => row.map(() => 1)), 0);
    const before = tensorCount();
    for (const { options, sequences, scores } of expected.generated) {
      const result = model.generate({ encoderLastHiddenState: features, decoderInputIds, decoderAttentionMask },
        { ...toCamelCase(options) as GenerationConfig, maxNewTokens: 8 });
      assert.deepEqual(result.sequences, sequences, JSON.stringify(options));
      if (scores) closeTo(result.sequencesScores, scores, 1e-4, JSON.stringify(options));
    }
    const encoderLastHiddenState = features;
    assert.throws(() => model.generate({ encoderLastHiddenState, decoderAttentionMask }), /given without the decoderInputIds/);
    const narrow = tf.ones([3, 2], 'int32');
    const misshapen = { encoderLastHiddenState, decoderInputIds, decoderAttentionMask: narrow };
    assert.throws(() => model.generate(misshapen), /shape \[3,2\], decoderInputIds \[3,7\]/);
    narrow.dispose();
    assert.equal(tensorCount(), before);
    tf.dispose([features, decoderInputIds, decoderAttentionMask]);
    model.dispose();
  });

  it('says the same of a picture and of its cached features, and where it looked', async () => {
    const before = tensorCount(), features = encoder.encode(await encoder.processor.batch(pictures));
    const options = { numBeams: 2, maxNewTokens: 6, outputAttentions: true };
    const [seen, cached] = [await captioner.caption(pictures, options), captioner.captionFeatures(features, options)];
    const said = (captions: typeof seen) => captions.map(({ text, tokens, words }) => ({ text, tokens, words }));
    assert.deepEqual(said(cached), said(seen));
    closeTo(cached.map(({ score }) => score), seen.map(({ score }) => score), 1e-4);
    assert.deepEqual(cached[0].attention!.grid, [8, 8]);
    assert.equal(cached[0].attention!.maps.length, cached[0].tokens.length);
    features.dispose();
    assert.equal(tensorCount(), before);
  });

  it('takes a prompt for each picture, which changes nothing of what is said of the others', async () => {
    const features = encoder.encode(await encoder.processor.batch(pictures)), before = tensorCount();
    const prompts = ['Image Caption: There is', '', 'Image Caption: A large purple'];
    const together = captioner.captionFeatures(features, { prompt: prompts, maxNewTokens: 8 });
    for (const [i, prompt] of prompts.entries()) {
      const [alone] = await captioner.caption([pictures[i]], { prompt, maxNewTokens: 8 });
      assert.deepEqual(together[i].tokens, alone.tokens, prompt);
      closeTo([together[i].logProbability], [alone.logProbability], 1e-4, prompt);
    }
    assert.throws(() => captioner.captionFeatures(features, { prompt: ['one'] }), /1 prompts for 3 pictures: give one for each/);
    assert.equal(tensorCount(), before);
    features.dispose();
  });

  it('is saved with its prompt, where transformers keeps what a task puts before its texts', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'prompted-')), before = tensorCount();
    try {
      captioner.save(folder);
      const config = JSON.parse(fs.readFileSync(path.join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
      assert.deepEqual(config.task_specific_params, { 'image-to-text': { prefix: 'Image Caption: ' } });
      assert.deepEqual(config.architectures, ['VisionEncoderDecoderModel']);
      const loaded = PromptedCaptioner.load(folder);
      assert.deepEqual(loaded.vocabulary.promptIds, captioner.vocabulary.promptIds);
      assert.equal(loaded.model.generationConfig.maxNewTokens, small.training.maxWords + 1);
      loaded.dispose();
      const plain = PretrainedCaptioner.load(folder), bare = path.join(folder, 'bare');
      new PretrainedCaptioner({ model: plain.model, processor: plain.processor, tokenizer: plain.tokenizer, config: null }).save(bare);
      plain.dispose();
      assert.throws(() => PromptedCaptioner.load(bare), /bare was saved without a prompt: give one/);
      assert.equal(tensorCount(), before);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
