import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tensorCount, tf } from '../../../lib/engine';
import { CLIPModel, CLIPTextModel, CLIPVisionModel, load, save, type ConfigJson } from '../../../lib/models';
import { openWeights, writeSafetensors, type TensorToWrite } from '../../../lib/weights';
import { formulaValues } from '../../formula';
import { relativeTo } from '../../relative-to';
import { idleKeys } from '../hub-config';
import fixture from '../../fixtures/models/clip.json';

const [expected] = fixture as unknown as [{ config: Record<string, ConfigJson>; inputs: { input_ids: number[][]; attention_mask: number[][] }; images: number; logitsPerImage: number[] }];

/** As openai/clip-vit-base-patch32's config.json, with the sizes of the fixture. */
const hub = {
  _name_or_path: 'openai/clip-vit-base-patch32', architectures: ['CLIPModel'], initializer_factor: 1, logit_scale_init_value: 2.6592, model_type: 'clip',
  projection_dim: expected.config.projection_dim as unknown as number, transformers_version: null, torch_dtype: 'float32',
  text_config: {
    ...idleKeys, attention_dropout: 0, bos_token_id: 0, hidden_act: 'quick_gelu', is_decoder: false, layer_norm_eps: 1e-5, model_type: 'clip_text_model',
    pad_token_id: 1, sep_token_id: null, ...expected.config.text_config,
  },
  text_config_dict: null,
  vision_config: {
    ...idleKeys, attention_dropout: 0, bos_token_id: null, eos_token_id: null, hidden_act: 'quick_gelu', is_decoder: false, layer_norm_eps: 1e-5,
    model_type: 'clip_vision_model', pad_token_id: null, sep_token_id: null, ...expected.config.vision_config,
  },
  vision_config_dict: null,
};
const preprocessor = {
  crop_size: 224, do_center_crop: true, do_normalize: true, do_resize: true, feature_extractor_type: 'CLIPFeatureExtractor',
  image_mean: [0.48145466, 0.4578275, 0.40821073], image_std: [0.26862954, 0.26130258, 0.27577711], resample: 3, size: 224,
};

function logitsOf(model: CLIPModel): Float32Array {
  const shape = [expected.images, 3, 35, 35];
  return tf.tidy(() => model.forward({
    inputIds: tf.tensor2d(expected.inputs.input_ids, undefined, 'int32'), attentionMask: tf.tensor2d(expected.inputs.attention_mask, undefined, 'int32'),
    pixelValues: tf.tensor(formulaValues('pixels', shape), shape),
  }).logitsPerImage.dataSync() as Float32Array);
}

describe('CLIP checkpoints', () => {
  let folder: string, before: number;
  const at = (...parts: string[]) => path.join(folder, ...parts);
  const write = (config: object, change = (tensors: Map<string, TensorToWrite>) => tensors) => {
    const model = new CLIPModel({ textConfig: camel(hub.text_config), visionConfig: camel(hub.vision_config), projectionDim: hub.projection_dim });
    const tensors = new Map([...model.namedParameters()].map(([name, { checkpointShape: shape }]): [string, TensorToWrite] => [name, { shape, data: formulaValues(name, shape) }]));
    model.dispose();
    for (const tower of ['text_model', 'vision_model']) tensors.set(`${tower}.embeddings.position_ids`, { shape: [1, 2], data: BigInt64Array.of(0n, 1n) });
    writeSafetensors(at('model.safetensors'), change(tensors));
    fs.writeFileSync(at('config.json'), JSON.stringify(config));
    fs.writeFileSync(at('preprocessor_config.json'), JSON.stringify(preprocessor));
  };
  const camel = (config: object) => Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), value]));
  beforeEach(() => { before = tensorCount(); folder = fs.mkdtempSync(path.join(os.tmpdir(), 'clip-')); });
  afterEach(() => { fs.rmSync(folder, { recursive: true }); assert.equal(tensorCount(), before); });

  it('are read as on the hub, give transformers\' logits, and are written so that the same comes back', () => {
    write(hub);
    const { model, processor, config } = load(folder, { as: CLIPModel });
    relativeTo(logitsOf(model), expected.logitsPerImage, 1e-4);
    assert.deepEqual(config, hub);
    assert.deepEqual([processor!.config.size, processor!.config.cropSize, processor!.config.resample, processor!.config.imageMean[0]],
      [{ shortestEdge: 224 }, { height: 224, width: 224 }, 'bicubic', 0.48145466]);
    save(at('saved'), { model, config });
    const saved = openWeights(at('saved'));
    assert.deepEqual([...saved.tensors.keys()].sort(), [...model.namedParameters()].map(([name]) => name).sort());
    saved.close();
    const json = JSON.parse(fs.readFileSync(at('saved', 'config.json'), 'utf8')) as typeof hub;
    assert.deepEqual(json.text_config, hub.text_config);
    const again = load(at('saved')).model as CLIPModel;
    assert.deepEqual(logitsOf(again), logitsOf(model));
    save(at('bare'), { model });
    const bare = load(at('bare')).model as CLIPModel;
    assert.deepEqual(logitsOf(bare), logitsOf(model));
    for (const one of [model, again, bare]) one.dispose();
  });

  it('give one tower on request, which is a checkpoint of its own', () => {
    write(hub);
    const whole = load(folder, { as: CLIPModel }).model, text = load(folder, { as: CLIPTextModel }).model, vision = load(folder, { as: CLIPVisionModel }).model;
    assert.deepEqual([...text.namedParameters()].map(([name, p]) => [name, p.save()]), [...whole.text_model.namedParameters()].map(([name, p]) => [name, p.save()]));
    assert.equal(vision.config.patchSize, 8);
    save(at('tower'), { model: vision });
    const { model, config } = load(at('tower'));
    assert.deepEqual([config!.architectures, config!.model_type, model!.constructor], [['CLIPVisionModel'], 'clip_vision_model', CLIPVisionModel]);
    assert.deepEqual([...model!.namedParameters()].map(([name, p]) => [name, p.save()]), [...whole.vision_model.namedParameters()].map(([name, p]) => [name, p.save()]));
    for (const one of [whole, text, vision, model!]) one.dispose();
  });

  it('take text_config_dict for text_config where both are there, as transformers', () => {
    const { eos_token_id: _, ...rest } = expected.config.text_config;
    write({ ...hub, text_config: { ...hub.text_config, hidden_act: 'gelu', hidden_size: 64 }, text_config_dict: rest });
    const { model } = load(folder, { as: CLIPModel });
    assert.deepEqual([model.config.textConfig.hiddenAct, model.config.textConfig.hiddenSize, model.config.textConfig.eosTokenId], ['quick_gelu', 32, 49407]);
    model.dispose();
  });

  for (const [what, change, message] of [
    ['heads that do not divide', { text_config: { ...hub.text_config, num_attention_heads: 5 } }, /config\.json: text_config\.num_attention_heads: hidden_size does not divide/],
    ['several end tokens', { text_config: { ...hub.text_config, eos_token_id: [1, 2] } }, /config\.json: text_config\.eos_token_id: only a single end token/],
    ['an activation nobody knows', { vision_config: { ...hub.vision_config, hidden_act: 'swish' } }, /config\.json: vision_config\.hidden_act: /],
    ['another size than the weights\'', { projection_dim: 21 }, /wrong shape: .*projection\.weight is \[20,3[02]\] instead of \[21,3[02]\]/],
  ] as const) {
    it(`refuse ${what}`, () => {
      write({ ...hub, ...change });
      assert.throws(() => load(folder), message);
    });
  }

  it('refuse weights without logit_scale', () => {
    write(hub, (tensors) => { tensors.delete('logit_scale'); return tensors; });
    assert.throws(() => load(folder), /missing: logit_scale/);
  });
});
