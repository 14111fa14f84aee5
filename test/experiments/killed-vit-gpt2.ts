/** A short training of a tiny ViT–GPT-2 captioner with dropout; as a program it kills itself at a step, without a chance to tidy up. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CaptionDataset, loadScenes } from '../../lib/datasets';
import { Random } from '../../lib/engine';
import { searchVitGpt2, type TrainVitGpt2Options, type VitGpt2Config } from '../../lib/experiments';
import { ImageProcessor } from '../../lib/images';
import { GPT2LMHeadModel, save, ViTModel } from '../../lib/models';
import { Tokenizer } from '../../lib/tokenizers';
import { resolveCheckpoint } from '../../lib/weights';

/** Two halves in `folder`, made once. */
function tinyHalves(folder: string): Pick<VitGpt2Config, 'encoder' | 'decoder'> {
  const encoder = join(folder, 'vit'), decoder = join(folder, 'gpt2'), random = new Random(7);
  if (!existsSync(decoder)) {
    const sizes = { imageSize: 32, patchSize: 8, hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 64 };
    const eyes = new ViTModel(sizes, random);
    save(encoder, { model: eyes, processor: new ImageProcessor({ size: { height: 32, width: 32 } }) });
    const tokenizer = Tokenizer.fromPretrained(resolveCheckpoint('gpt2-scenes')), end = tokenizer.eosTokenId!;
    const dropout = { embdPdrop: 0.1, attnPdrop: 0.1, residPdrop: 0.1 };
    const words = new GPT2LMHeadModel({ vocabSize: end + 1, nPositions: 48, nEmbd: 32, nLayer: 2, nHead: 2, ...dropout }, random);
    save(decoder, { model: words, tokenizer, config: { bos_token_id: end, eos_token_id: end } });
    eyes.dispose();
    words.dispose();
  }
  return { encoder, decoder };
}

const STEPS_PER_EPOCH = 6, CHECKPOINT_STEPS = 4;
/** In mid-epoch, with two updates since the last checkpoint. */
export const KILLED_AT = STEPS_PER_EPOCH + CHECKPOINT_STEPS;

interface Outcome { weights: number[][]; curve: unknown[]; captions: string[] }

/** Trains and returns all weights, the curve with its scores, and captions. `work` holds the halves. */
export async function run(work: string, more: Partial<TrainVitGpt2Options> = {}): Promise<Outcome> {
  const scenes = loadScenes(), some = (split: 'train' | 'val', count: number) => scenes.split(split).records.slice(0, count);
  const dataset = new CaptionDataset('scenes-few', [...some('train', 4 * STEPS_PER_EPOCH), ...some('val', 4)]);
  const config: VitGpt2Config = {
    ...tinyHalves(work), maxTokens: 16, learningRates: [3e-3], searchEpochs: 3, epochs: 3, batchSize: 4, patience: 3, generateEvery: 2,
    captionsPerEpoch: 'one', warmupSteps: 2, maxGradNorm: 1, seed: 42,
  };
  const { captioner, history } = await searchVitGpt2({ config, dataset, checkpointSteps: CHECKPOINT_STEPS, ...more });
  const captions = await captioner.caption(dataset.split('val').images());
  const weights = captioner.model.parameters().map((parameter) => Array.from(parameter.save()));
  captioner.dispose();
  return { weights, curve: history.map(({ seconds, ...record }) => record), captions: captions.map(({ text }) => text) };
}

if (require.main === module) {
  const [work, folder] = process.argv.slice(2);
  void run(work, { folder, onStep: ({ step }) => { if (step === KILLED_AT) process.kill(process.pid, 'SIGKILL'); } });
}
