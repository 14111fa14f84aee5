/** Checkpoints as a whole: config.json with weights, what stands beside them, captioners that were saved here. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ImageProcessor, SmolVLMImageProcessor } from '../../../lib/images';
import type { ConfigJson } from '../../../lib/models';
import { WordVocabulary } from '../../../lib/tokenizers';
import type { TensorToWrite } from '../../../lib/weights';
import fixture from '../../../test/fixtures/models/checkpoints.json';
import { must, type Files, type FuzzTarget } from '../target';
import { writeCase } from '../worker';
import { safetensors } from './weights';

/** With TensorFlow, which the other targets do without: loaded when it is needed. */
const networks = () => ({
  ...(require('../../../lib/captioners') as typeof import('../../../lib/captioners')),
  ...(require('../../../lib/engine') as typeof import('../../../lib/engine')),
  ...(require('../../../lib/models') as typeof import('../../../lib/models')),
});

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

const vitProcessor = { image_processor_type: 'ViTImageProcessor', do_resize: true, size: { height: 32, width: 32 }, resample: 2,
  do_rescale: true,
  rescale_factor: 1 / 255, do_normalize: true, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
const clipProcessor = { feature_extractor_type: 'CLIPFeatureExtractor', size: 24, resample: 3, do_center_crop: true, crop_size: 16 };
const timm = { architecture: 'resnet18', pretrained_cfg: { input_size: [3, 32, 32], interpolation: 'bicubic', crop_pct: 0.875,
  crop_mode: 'center', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } };
const smolVLM = { image_processor_type: 'SmolVLMImageProcessor', do_resize: true, size: { longest_edge: 64 }, resample: 1,
  do_image_splitting: true,
  max_image_size: { longest_edge: 32 }, do_rescale: true, rescale_factor: 1 / 255, do_normalize: true, image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5], do_pad: true };

/** The published layouts in small, zeros for weights. */
function publishedLayouts(): Files[] {
  const cases = fixture as unknown as { name: string; config: ConfigJson; tensors: Record<string, number[]> }[];
  return cases.filter(({ name }) => !/mobilenetv2/i.test(name)).map(({ config, tensors }) => ({
    'config.json': json(config),
    'model.safetensors': safetensors(Object.fromEntries(Object.entries(tensors).map(([key, shape]): [string, TensorToWrite] => {
      const count = shape.reduce((a, b) => a * b, 1);
      return [key, { shape, data: key.endsWith('num_batches_tracked') ? new BigInt64Array(count) : new Float32Array(count) }];
    }))),
    ...('n_embd' in config ? { 'generation_config.json': json({ max_new_tokens: 7, num_beams: 2, eos_token_id: [3, 4], pad_token_id: 0,
      do_sample: false, length_penalty: 1.5 }) } : {}),
    ...('patch_size' in config ? { 'preprocessor_config.json': json(vitProcessor) } : {}),
  }));
}

/** A captioner of random weights, saved as notebooks save theirs. */
function savedCaptioner(): Files {
  const { AttentionGruDecoder, FeatureCaptioner, ImageEncoder, Random } = networks();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fuzz-seed-')), encoderFolder = path.join(folder, 'encoder'),
    saved = path.join(folder, 'saved');
  try {
    writeCase(encoderFolder, { ...publishedLayouts()[1], 'preprocessor_config.json': json(vitProcessor) });
    const vocabulary = WordVocabulary.fromCaptions(['a dog', 'a cat']), encoder = ImageEncoder.load(encoderFolder);
    const decoder = new AttentionGruDecoder({ vocabSize: vocabulary.size, featureSize: encoder.featureSize, embedSize: 3, hiddenSize: 4,
      dropout: 0.1, attentionFrom: 'hiddenState', padId: 0 }, new Random(1));
    const captioner = new FeatureCaptioner(encoder, decoder, vocabulary);
    captioner.save(saved);
    captioner.dispose();
    const names = fs.readdirSync(saved, { recursive: true, encoding: 'utf8' }).filter((name) => fs.statSync(path.join(saved,
      name)).isFile());
    return Object.fromEntries(names.map((name) => [name, fs.readFileSync(path.join(saved, name))]));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Nothing stays in TensorFlow's memory, whatever became of the reading. */
async function leavingNoTensor(read: () => unknown): Promise<void> {
  const { tensorCount } = networks(), before = tensorCount();
  try { await read(); } finally { must(tensorCount() === before, `${tensorCount() - before} tensors stayed in memory`); }
}

export const checkpointTargets: readonly FuzzTarget[] = [
  {
    name: 'checkpoint',
    seeds: publishedLayouts,
    read: (folder) => leavingNoTensor(() => {
      const { model } = networks().load(folder);
      model?.dispose();
    }),
  },
  {
    name: 'captioner',
    seeds: () => [savedCaptioner()],
    read: (folder) => leavingNoTensor(() => { networks().loadCaptioner(folder).dispose(); }),
  },
  {
    name: 'preprocessor',
    seeds: (): Files[] => [{ 'preprocessor_config.json': json(vitProcessor) }, { 'preprocessor_config.json': json(clipProcessor) },
      { 'config.json': json(timm) },
      { 'processor_config.json': json({ image_processor: vitProcessor }) }],
    read: async (folder) => {
      const { data, shape } = await ImageProcessor.fromPretrained(folder).batch([{ data: new Uint8Array(20 * 30 * 3).fill(7), width: 30,
        height: 20 }]);
      must(data.length === shape.reduce((a, b) => a * b, 1) && data.every(Number.isFinite), `values of shape ${shape.join('×')}`);
    },
  },
  {
    name: 'smolvlm-preprocessor',
    seeds: () => [{ 'preprocessor_config.json': json(smolVLM) }],
    read: async (folder) => {
      const { pixelValues: data } = await SmolVLMImageProcessor.fromPretrained(folder).batch([[{ data: new Uint8Array(20 * 30 * 3).fill(7),
        width: 30, height: 20 }]]);
      must(data.data.every(Number.isFinite), 'a value that is no number');
    },
  },
];
