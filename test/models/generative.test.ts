import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tensorCount, tf } from '../../lib/engine';
import { formatGenerationConfig, parseGenerationConfig } from '../../lib/generation';
import { generationOfConfig, load, save, VisionEncoderDecoderModel, type ConfigJson } from '../../lib/models';
import { openWeights } from '../../lib/weights';
import { formulaValues } from '../formula';

const python = path.join(__dirname, '..', 'fixtures', 'models', 'vit-gpt2');
const json = (...parts: string[]): ConfigJson => JSON.parse(fs.readFileSync(path.join(...parts), 'utf8')) as ConfigJson;

/** What transformers' model answers in scripts/reference/vision_encoder_decoder.py: greedy, then four beams. */
function captions(model: VisionEncoderDecoderModel): number[][][] {
  const shape = [3, 3, 16, 16], pixelValues = tf.tensor(formulaValues('pixels', shape).map((v) => v * 3), shape);
  const sequences = [1, 4].map((numBeams) => model.generate({ pixelValues }, { numBeams, maxNewTokens: 12 }).sequences);
  pixelValues.dispose();
  return sequences;
}

describe('a ViT–GPT-2 checkpoint', () => {
  let folder: string, before: number;
  beforeEach(() => { before = tensorCount(); folder = fs.mkdtempSync(path.join(os.tmpdir(), 'vit-gpt2-')); });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); assert.equal(tensorCount(), before); });

  it('that transformers saved gives transformers\' captions, and is saved in the same layout', () => {
    const { model } = load(python, { as: VisionEncoderDecoderModel }), expected = json(python, 'expected.json') as unknown as number[][][];
    assert.deepEqual(model.generationConfig, { bosTokenId: 1, eosTokenId: 7, padTokenId: 2, decoderStartTokenId: 1 });
    assert.deepEqual(captions(model), expected);
    for (const former of [json(python, 'config.json'), null]) {
      save(folder, { model, config: former });
      const [saved, theirs] = [openWeights(folder), openWeights(python)];
      const shapes = (source: typeof saved) => [...source.tensors].map(([name, { shape }]) => `${name} ${shape}`).sort();
      assert.deepEqual(shapes(saved), shapes(theirs));
      saved.close();
      theirs.close();
      const again = load(folder, { as: VisionEncoderDecoderModel });
      assert.deepEqual(again.model.generationConfig, model.generationConfig);
      assert.deepEqual(captions(again.model), expected);
      again.model.dispose();
      if (former) assert.deepEqual(json(folder, 'config.json'), former);
      const kept = former ? [] : ['architectures', 'model_type', 'is_encoder_decoder', 'decoder_start_token_id', 'pad_token_id'];
      for (const key of kept) assert.deepEqual(json(folder, 'config.json')[key], json(python, 'config.json')[key], key);
    }
    model.dispose();
  });

  it('keeps how it generates, in config.json or in a file of its own', () => {
    const { model, config } = load(python, { as: VisionEncoderDecoderModel });
    model.generationConfig = { ...model.generationConfig, maxNewTokens: 5, numBeams: 3, noRepeatNgramSize: 2 };
    save(folder, { model, config });
    assert.deepEqual(json(folder, 'generation_config.json'), {
      bos_token_id: 1, eos_token_id: 7, pad_token_id: 2, decoder_start_token_id: 1, max_new_tokens: 5, num_beams: 3,
        no_repeat_ngram_size: 2,
    });
    const again = load(folder, { as: VisionEncoderDecoderModel });
    assert.deepEqual(again.model.generationConfig, model.generationConfig);
    const shape = [1, 3, 16, 16], pixelValues = tf.tensor(formulaValues('pixels', shape), shape);
    assert.equal(again.model.generate({ pixelValues }).sequences[0].length, 6);
    pixelValues.dispose();
    again.model.dispose();
    fs.writeFileSync(path.join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: 7, penalty_alpha: 0.6 }));
    assert.throws(() => load(folder), /generation_config\.json: .*penaltyAlpha/);
    fs.writeFileSync(path.join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: -7 }));
    assert.throws(() => load(folder), /generation_config\.json: eos_token_id/);
    model.dispose();
  });

  it('with another encoder or decoder is refused by name', () => {
    for (const file of ['generation_config.json', 'model.safetensors']) fs.copyFileSync(path.join(python, file), path.join(folder, file));
    const config = json(python, 'config.json');
    for (const [part, type] of [['encoder', 'swin'], ['decoder', 'bert']]) {
      fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ ...config, [part]: { ...config[part] as object,
        model_type: type } }));
      assert.throws(() => load(folder), new RegExp(`config\\.json: ${part}\\.model_type: only \\w+ is supported as ${part}`));
    }
  });
});

describe('generation_config.json', () => {
  it('is read with transformers\' meanings: what is off counts for nothing', () => {
    const parsed = parseGenerationConfig({
      transformers_version: '4.40.0', _from_model_config: true, bos_token_id: null, eos_token_id: [2, 5], pad_token_id: 0, max_length: 30,
        max_new_tokens: 40, do_sample: false,
      temperature: 0.6, top_p: 0.9, num_beams: 1, num_beam_groups: 1, diversity_penalty: 0, typical_p: 1, guidance_scale: 1,
        suppress_tokens: [], use_cache: true, early_stopping: true,
    });
    assert.deepEqual(parsed, { eosTokenId: [2, 5], padTokenId: 0, maxNewTokens: 40, doSample: false, numBeams: 1, earlyStopping: true });
    assert.deepEqual(formatGenerationConfig(parsed), { eos_token_id: [2, 5], pad_token_id: 0, max_new_tokens: 40, early_stopping: true });
    assert.throws(() => parseGenerationConfig({ guidance_scale: 2 }, 'here.json'), /here\.json: .*guidanceScale/);
    assert.throws(() => parseGenerationConfig({ num_beams: 'many' }, 'here.json'), /here\.json: .*numBeams is "many"/);
    assert.throws(() => parseGenerationConfig([], 'here.json'), /here\.json: expected an object/);
  });

  it('is taken from config.json where there is none; a decoder\'s special ids fill gaps', () => {
    assert.deepEqual(generationOfConfig({ eos_token_id: 3, max_length: 16, vocab_size: 9, decoder: { eos_token_id: 4, pad_token_id: 5,
      num_beams: 2 } }),
      { eosTokenId: 3, padTokenId: 5, maxLength: 16 });
  });
});
