import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tensorCount, tf } from '../../../lib/engine';
import { BlipForConditionalGeneration, load, save, type ConfigJson } from '../../../lib/models';
import { openWeights, writeSafetensors, type TensorToWrite } from '../../../lib/weights';
import { formulaValues } from '../../formula';
import { relativeTo } from '../../relative-to';
import { idleKeys } from '../hub-config';
import fixture from '../../fixtures/models/blip.json';

const { config: tiny, images, sequences, scores, options } = fixture.generated[1] as unknown as
  { config: Record<string, ConfigJson>; images: number; sequences: number[][]; scores: number[]; options: { num_beams: number } };

/** As Salesforce/blip-image-captioning-base's config.json, with the sizes of the fixture. */
const hub = {
  _commit_hash: null, architectures: ['BlipForConditionalGeneration'], image_text_hidden_size: 256, initializer_factor: 1, logit_scale_init_value: 2.6592,
  model_type: 'blip', projection_dim: 512, torch_dtype: 'float32', transformers_version: null,
  text_config: {
    ...idleKeys, attention_probs_dropout_prob: 0, hidden_act: 'gelu', hidden_dropout_prob: 0, is_decoder: true, layer_norm_eps: 1e-12,
    model_type: 'blip_text_model', use_cache: true, ...tiny.text_config,
  },
  vision_config: {
    ...idleKeys, attention_dropout: 0, bos_token_id: null, eos_token_id: null, hidden_act: 'gelu', is_decoder: false, layer_norm_eps: 1e-5,
    model_type: 'blip_vision_model', num_channels: 3, pad_token_id: null, sep_token_id: null, ...tiny.vision_config,
  },
};
const preprocessor = {
  do_normalize: true, do_resize: true, image_mean: [0.48145466, 0.4578275, 0.40821073], image_std: [0.26862954, 0.26130258, 0.27577711], resample: 3,
  image_processor_type: 'BlipImageProcessor', processor_class: 'BlipProcessor', size: { height: 384, width: 384 }, size_divisor: 32,
};

const captionsOf = (model: BlipForConditionalGeneration) => tf.tidy(() => {
  const shape = [images, 3, 35, 35];
  return model.generate({ pixelValues: tf.tensor(formulaValues('pixels', shape).map((v) => v * 3), shape) }, { numBeams: options.num_beams }) as never;
}) as ReturnType<BlipForConditionalGeneration['generate']>;

describe('BLIP checkpoints', () => {
  let folder: string, count: number;
  const at = (...parts: string[]) => path.join(folder, ...parts);
  const write = (config: object) => {
    const stored = new Map((fixture.cases[0].names).map((name): [string, number[]] => [name, shapes.get(name)!]));
    const tensors = new Map([...stored].map(([name, shape]): [string, TensorToWrite] => [name, { shape, data: formulaValues(name, shape) }]));
    tensors.set('text_decoder.bert.embeddings.position_ids', { shape: [1, 2], data: BigInt64Array.of(0n, 1n) });
    tensors.set('text_decoder.cls.predictions.decoder.weight', tensors.get('text_decoder.bert.embeddings.word_embeddings.weight')!);
    tensors.set('text_decoder.cls.predictions.decoder.bias', tensors.get('text_decoder.cls.predictions.bias')!);
    writeSafetensors(at('model.safetensors'), tensors);
    fs.writeFileSync(at('config.json'), JSON.stringify(config));
    fs.writeFileSync(at('preprocessor_config.json'), JSON.stringify(preprocessor));
  };
  const camel = (config: object) => Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), value]));
  let shapes: Map<string, number[]>;
  before(() => {
    const model = new BlipForConditionalGeneration({ textConfig: camel(tiny.text_config), visionConfig: camel(tiny.vision_config) });
    shapes = new Map([...model.namedParameters()].map(([name, { checkpointShape }]) => [name, checkpointShape]));
    model.dispose();
  });
  beforeEach(() => { count = tensorCount(); folder = fs.mkdtempSync(path.join(os.tmpdir(), 'blip-')); });
  afterEach(() => { fs.rmSync(folder, { recursive: true }); assert.equal(tensorCount(), count); });

  it('are read as on the hub, caption as transformers, and are written so that the same comes back', () => {
    write(hub);
    const { model, processor, config } = load(folder, { as: BlipForConditionalGeneration });
    const captions = captionsOf(model);
    assert.deepEqual(captions.sequences, sequences);
    relativeTo(captions.sequencesScores, scores, 1e-4);
    assert.deepEqual(config, hub);
    assert.deepEqual([processor!.config.size, processor!.config.doCenterCrop, processor!.config.resample], [{ height: 384, width: 384 }, false, 'bicubic']);
    save(at('saved'), { model, config });
    const saved = openWeights(at('saved'));
    assert.deepEqual([...saved.tensors.keys()].sort(), [...fixture.cases[0].names].sort());
    saved.close();
    const written = fs.readFileSync(at('saved', 'config.json'), 'utf8'), json = JSON.parse(written) as typeof hub;
    // Python's transformers refuses whole numbers where it wants floats.
    assert.deepEqual(written.match(/"(initializer_factor|num_beams)": .*/g), [
      '"initializer_factor": 1.0,', '"initializer_factor": 1.0,', '"num_beams": 1,', '"initializer_factor": 1.0,', '"num_beams": 1,']);
    assert.deepEqual(json.text_config, { ...hub.text_config, encoder_hidden_size: 30 });
    const again = load(at('saved')).model as BlipForConditionalGeneration;
    assert.deepEqual(captionsOf(again), captions);
    save(at('bare'), { model });
    const bare = load(at('bare')).model as BlipForConditionalGeneration;
    assert.deepEqual(captionsOf(bare), captions);
    for (const one of [model, again, bare]) one.dispose();
  });

  it('say in generation_config.json how captions are made, their own special ids in text_config notwithstanding', () => {
    write(hub);
    fs.writeFileSync(at('generation_config.json'), JSON.stringify({ bos_token_id: 59, eos_token_id: 2, pad_token_id: 0, max_length: 6, transformers_version: '4.27.0' }));
    const { model } = load(folder, { as: BlipForConditionalGeneration });
    const captions = captionsOf(model);
    assert.deepEqual(captions.sequences.map((ids) => ids.length), [6, 6, 6]);
    model.dispose();
  });

  it('streams the words of greedy captions', async () => {
    write(hub);
    const { model } = load(folder, { as: BlipForConditionalGeneration });
    const shape = [images, 3, 35, 35], pixelValues = tf.tensor(formulaValues('pixels', shape).map((v) => v * 3), shape);
    const words: (number | null)[][] = [];
    for await (const step of model.stream({ pixelValues }, { maxNewTokens: 4 })) words.push(step);
    assert.deepEqual(words.map(([first]) => first), model.generate({ pixelValues }, { maxNewTokens: 4 }).sequences[0].slice(1));
    pixelValues.dispose();
    model.dispose();
  });

  it('have 8 heads in the decoder where the file says nothing, as transformers', () => {
    const { num_attention_heads: _, ...rest } = hub.text_config as ConfigJson;
    write({ ...hub, text_config: rest });
    const { model } = load(folder, { as: BlipForConditionalGeneration });
    assert.equal(model.config.textConfig.numAttentionHeads, 8);
    model.dispose();
  });

  for (const [what, change, message] of [
    ['heads that do not divide', { vision_config: { ...hub.vision_config, num_attention_heads: 4 } }, /config\.json: vision_config\.num_attention_heads: hidden_size does not divide/],
    ['an encoder', { text_config: { ...hub.text_config, is_decoder: false } }, /config\.json: text_config\.is_decoder: only the decoder is supported/],
    ['untied words', { tie_word_embeddings: false }, /config\.json: tie_word_embeddings: only true is supported/],
    ['grey pictures', { vision_config: { ...hub.vision_config, num_channels: 1 } }, /config\.json: vision_config\.num_channels: only pictures of 3 channels/],
    ['another size than the weights\'', { text_config: { ...hub.text_config, vocab_size: 60 } }, /wrong shape: .*is \[61(,32)?\] instead of \[60(,32)?\]/],
  ] as const) {
    it(`refuse ${what}`, () => {
      write({ ...hub, ...change });
      assert.throws(() => load(folder), message);
    });
  }
});
