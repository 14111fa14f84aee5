/**
 * Training steps of report 000's captioner at its real size here and in PyTorch (transformers' VisionEncoderDecoderModel): ViT-small/16 at
 * 224 pixels and GPT-2 small with cross attention, random weights, all trained, batch 4 × 32 tokens, AdamW, gradients clipped, GPT-2's
 * dropout. This side is the full profile's own code, `train` and the decoding of the pictures included.
 *
 *   FLICKR8K_DIR=… npx tsx bench/vit-gpt2.ts [--rounds 4] [--steps 3] [--precision float32] [--tokenizer FOLDER] [--json FILE] [--source]
 *
 * --precision bfloat16 mixes precisions on both sides (there by torch.autocast). Pictures are Flickr8k's where it is found, else the drawn
 * Scenes. --tokenizer is a folder with GPT-2's published one; without it Scenes' small one stands in, whose ids are a part of GPT-2's.
 */
import * as path from 'node:path';
import type { CaptionDataset as Dataset, PictureBatch, Precision, Scalar } from '../lib';
import { captioning, inFolder, options, writeTensor } from './harness/library';
import { Peer } from './harness/peer';
import { report } from './harness/results';
import { trainSideBySide } from './harness/training';

const {
  buildVitGpt2, CaptionDataset, GPT2LMHeadModel, hasFastBfloat16, ImageProcessor, loadFlickr8k, loadScenes, partA, PictureBatches, Random,
  save, tf, Tokenizer, ViTModel, vitSizes,
} = captioning;
const values = options({ rounds: '4', steps: '3', precision: 'float32', tokenizer: '' });
const rounds = Number(values.rounds), steps = Number(values.steps), precision = values.precision as Precision;
const batchSize = 4, tokens = 32, total = (rounds + 1) * steps;

/** Pictures, each with its captions joined to one, so that every row has all its tokens. */
function longCaptions(): Dataset {
  let dataset: Dataset;
  try { dataset = loadFlickr8k(); } catch (error) {
    console.log(`Scenes instead of photographs: ${(error as Error).message.split('\n')[0]}`);
    dataset = loadScenes();
  }
  const records = dataset.split('train').records.slice(0, total * batchSize);
  return new CaptionDataset(dataset.name, records.map((record) => ({ ...record, captions: [record.captions.join(' ')] })));
}

/** The two halves with random weights, where `load` looks for published ones. */
function makeHalves(folder: string): void {
  const random = new Random(1), at = (name: string) => path.join(folder, name);
  const vit = new ViTModel(vitSizes.small, random), gpt2 = new GPT2LMHeadModel({}, random);
  const half: [number, number, number] = [0.5, 0.5, 0.5];
  save(at('vit'), { model: vit, processor: new ImageProcessor({ imageMean: half, imageStd: half }) });
  const tokenizer = Tokenizer.fromPretrained(values.tokenizer || path.join(__dirname, '..', 'weights', 'gpt2-scenes'));
  save(at('gpt2'), { model: gpt2, tokenizer });
  vit.dispose();
  gpt2.dispose();
  Object.assign(process.env, { VIT_SMALL_DIR: at('vit'), GPT2_DIR: at('gpt2') });
}

async function main(folder: string): Promise<void> {
  makeHalves(folder);
  const config = { ...partA.full.custom, maxTokens: tokens, batchSize }, { maxGradNorm, seed } = config, random = new Random(seed);
  const optimizer = { learningRate: config.learningRates[0], weightDecay: 0.01 };
  const captioner = buildVitGpt2(config, random), { model, processor, tokenizer } = captioner, saved = path.join(folder, 'captioner');
  captioner.save(saved);
  const dataset = longCaptions();
  const pictures = new PictureBatches({ dataset, processor, tokenizer, maxTokens: tokens, batchSize, seed }), order = pictures.order(0);
  console.log(`${(model.parameterCount() / 1e6).toFixed(1)} M parameters; ${dataset.length} pictures of ${dataset.name}`);
  const peer = await Peer.start('vit_gpt2.py', JSON.stringify({ folder: saved, ...optimizer, maxGradNorm, precision }));
  const row = await trainSideBySide<PictureBatch>({
    work: `train step ViT-S/16 + GPT-2 small, batch ${batchSize} × ${tokens}, ${precision}`, target: precision === 'float32' ? 0.6 : 0.9,
    rounds, steps, peer,
    training: {
      model, loss: (batch) => tf.tidy(() => model.forward({ ...batch }).loss as Scalar), optimizer, maxGradNorm, random, precision,
    },
    batch: (step) => pictures.batch(order, step),
    write: ({ pixelValues, decoderInputIds, labels }, place) => ({
      pixels: writeTensor(path.join(folder, `pixels-${place}.bin`), pixelValues),
      inputs: decoderInputIds.arraySync(), labels: labels.arraySync(),
    }),
  });
  peer?.stop();
  if (precision === 'bfloat16' && !hasFastBfloat16()) console.log('This processor has no bfloat16 instructions.');
  report([peer?.description], [row], values.json);
}

void inFolder(main);
