/**
 * Training steps of report 000's captioner at its real size here and in PyTorch (transformers' VisionEncoderDecoderModel): ViT-small/16 at
 * 224 pixels and GPT-2 small with cross attention, random weights, all trained, batch 4 × 32 tokens, AdamW, gradients clipped, GPT-2's
 * dropout, float32. This side is the full profile's own code, `train` included. Both sides start from one checkpoint, which must give the
 * same loss on both, get the same batches and take turns of --steps steps (the peer of --peer-steps, where time is short). Prints
 * times and memory with their ratios; --json FILE gets every step's loss, time and memory.
 *
 *   FLICKR8K_DIR=… npx tsx bench/vit-gpt2.ts [--rounds 5] [--steps 10] [--peer-steps 10] [--tokenizer FOLDER] [--json FILE] [--source]
 *
 * Pictures are Flickr8k's where it is found, else the drawn Scenes. --tokenizer is a folder with GPT-2's published one; without it Scenes'
 * small one stands in, whose ids are a part of GPT-2's. --source measures lib/ as it stands, not the compiled library that notebooks use.
 */
import * as fs from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import type * as Captioning from '../lib';
import { median, Peer } from './peer';

const option = (standard?: string) => ({ type: 'string', default: standard }) as const;
const { values } = parseArgs({
  options: {
    rounds: option('5'), steps: option('10'), 'peer-steps': option(), tokenizer: option(), json: option(),
    source: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds), steps = Number(values.steps), peerSteps = Number(values['peer-steps'] ?? steps);
const batchSize = 4, tokens = 32, total = rounds * steps;

const {
  buildVitGpt2, CaptionDataset, GPT2LMHeadModel, ImageProcessor, linearWithWarmup, loadFlickr8k, loadScenes, partA, PictureBatches, Random,
  save, tf, Tokenizer, train, ViTModel, vitSizes,
} = require(values.source ? '../lib' : 'captioning') as typeof Captioning;
type Batch = Captioning.PictureBatch;

/** Memory in bytes; `tensors` and `tensorBytes` are tf.memory's. */
interface Step { loss: number; seconds: number; processor: number; resident: number; tensors: number; tensorBytes: number }
interface Turn { losses: number[]; seconds: number[]; processor: number[]; peak: number }

/** Peak resident memory in bytes since `resetPeak`, as Linux counts it; elsewhere since the process began. */
const status = '/proc/self/status', isLinux = fs.existsSync(status);
const peak = (): number =>
  1024 * (isLinux ? Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(status, 'utf8'))![1]) : process.resourceUsage().maxRSS);
const resetPeak = (): void => { if (isLinux) fs.writeFileSync('/proc/self/clear_refs', '5'); };

/** Pictures, each with its captions joined to one, so that every row has all its tokens. */
function longCaptions(): Captioning.CaptionDataset {
  let dataset: Captioning.CaptionDataset;
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
  const tokenizer = Tokenizer.fromPretrained(values.tokenizer ?? path.join(__dirname, '..', 'weights', 'gpt2-scenes'));
  save(at('gpt2'), { model: gpt2, tokenizer });
  vit.dispose();
  gpt2.dispose();
  Object.assign(process.env, { VIT_SMALL_DIR: at('vit'), GPT2_DIR: at('gpt2') });
}

const disposeBatch = (batch: Batch): void => tf.dispose(Object.values(batch) as Captioning.Tensor[]);

/** PyTorch's side; undefined where it cannot run. */
async function startPeer(folder: string, learningRate: number, maxGradNorm: number, weightDecay: number) {
  const settings = JSON.stringify({ learningRate, maxGradNorm, weightDecay, total });
  const started = await Peer.start('vit_gpt2.py', [path.join(folder, 'captioner'), settings]);
  if (!started) return undefined;
  console.log(started.hello);
  return {
    ask: (what: 'loss' | 'train', batches: Batch[]): Promise<Turn> =>
      started.peer.ask<Turn>(JSON.stringify({ what, batches: batches.map((batch, i) => write(folder, batch, i)) })),
    stop: () => started.peer.stop(),
  };
}

/** A batch for the peer: pixels in a file, the ids as they are. */
function write(folder: string, { pixelValues, decoderInputIds, labels }: Batch, index: number): Record<string, unknown> {
  const pixels = path.join(folder, `batch-${index}.bin`);
  fs.writeFileSync(pixels, pixelValues.dataSync() as Float32Array);
  return { pixels, shape: pixelValues.shape, inputs: decoderInputIds.arraySync(), labels: labels.arraySync() };
}

async function main(folder: string): Promise<void> {
  makeHalves(folder);
  const config = { ...partA.full.custom, maxTokens: tokens, batchSize }, { maxGradNorm, seed } = config, random = new Random(seed);
  const learningRate = config.learningRates[0], weightDecay = 0.01;
  const captioner = buildVitGpt2(config, random), { model, processor, tokenizer } = captioner;
  captioner.save(path.join(folder, 'captioner'));
  const dataset = longCaptions(), parameters = (model.parameterCount() / 1e6).toFixed(1);
  const pictures = new PictureBatches({ dataset, processor, tokenizer, maxTokens: tokens, batchSize, seed }), order = pictures.order(0);
  const loss = (batch: Batch) => tf.tidy(() => model.forward({ ...batch }).loss as Captioning.Scalar);
  console.log(`captioning, ${cpus().length} processors; ${parameters} M parameters; ${dataset.length} pictures of ${dataset.name}`);
  const peer = await startPeer(folder, learningRate, maxGradNorm, weightDecay);
  if (peer) {
    const first = await pictures.batch(order, 0), own = loss(first), ownLoss = own.dataSync()[0];
    const { losses: [other] } = await peer.ask('loss', [first]);
    console.log(`loss of the first batch without dropout: ${ownLoss.toFixed(5)}, PyTorch ${other.toFixed(5)}`);
    if (Math.abs(ownLoss - other) > 1e-3) throw new Error('The two sides do not do the same work.');
    own.dispose();
    disposeBatch(first);
  }

  const ours: Step[] = [], theirs: Turn[] = [], peaks: number[] = [];
  const keep = (): void => {
    if (values.json) fs.writeFileSync(values.json, `${JSON.stringify({ rounds, steps, batchSize, tokens, ours, peaks, theirs }, null, 1)}\n`);
  };
  const peersTurn = async (round: number): Promise<void> => {
    if (!peer) return;
    const batches: Batch[] = [];
    for (let i = 0; i < peerSteps; i++) batches.push(await pictures.batch(order, round * steps + i));
    theirs.push(await peer.ask('train', batches));
    keep();
    batches.forEach(disposeBatch);
  };
  // `train` asks for a batch before the step that precedes it; the first of a round comes when that has ended and the peer had its turn.
  let ready = 0, used = process.cpuUsage(), roundEnded = (): void => {};
  let waiting: Promise<void> = Promise.resolve();
  const startClock = (): void => { [ready, used] = [performance.now(), process.cpuUsage()]; };
  const batches = {
    stepsPerEpoch: total,
    order: () => order,
    batch: async (_: Uint32Array, index: number): Promise<Batch> => {
      if (index % steps) return pictures.batch(order, index);
      await waiting;
      waiting = new Promise((resolve) => { roundEnded = resolve; });
      if (index) await peersTurn(index / steps - 1);
      const batch = await pictures.batch(order, index);
      resetPeak();
      startClock();
      return batch;
    },
  };
  await train<Batch>({
    model, loss, batches, epochs: 1, random, maxGradNorm, optimizer: { learningRate, weightDecay },
    schedule: linearWithWarmup(config.warmupSteps),
    onStep: ({ step, loss: value }) => {
      const { user, system } = process.cpuUsage(used), { numTensors: tensors, numBytes: tensorBytes } = tf.memory();
      const resident = process.memoryUsage.rss();
      const seconds = (performance.now() - ready) / 1000;
      ours.push({ loss: value, seconds, processor: (user + system) / 1e6, resident, tensors, tensorBytes });
      startClock();
      if (step % steps) return;
      peaks.push(peak());
      console.log(`step ${step}: loss ${value.toFixed(3)}, ${gigabytes(resident)} resident`);
      keep();
      roundEnded();
    },
  });
  await peersTurn(rounds - 1);
  peer?.stop();
  report(ours, theirs, peaks);
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
const meanLoss = (losses: readonly number[]): string => (losses.reduce((a, b) => a + b, 0) / losses.length).toFixed(3);

/** Medians of all rounds but the first, which warms both sides up. */
function report(ours: readonly Step[], theirs: readonly Turn[], peaks: readonly number[]): void {
  const late = rounds > 1 ? ours.slice(steps) : ours, lateTurns = rounds > 1 ? theirs.slice(1) : theirs;
  const losses = ours.map(({ loss }) => loss), [early, end] = [ours[steps - 1], ours[total - 1]];
  console.log(`loss: first ${steps} steps ${meanLoss(losses.slice(0, steps))}, last ${steps} ${meanLoss(losses.slice(-steps))}`);
  console.log(`after step ${steps} and ${total}: ${early.tensors} and ${end.tensors} tensors, `
    + `${gigabytes(early.resident)} and ${gigabytes(end.resident)} resident`);
  const rows: [string, number, number, (x: number) => string][] = [
    ['time a step', median(late.map((s) => s.seconds)), median(lateTurns.flatMap((t) => t.seconds)), (x) => `${x.toFixed(2)} s`],
    ['processor time', median(late.map((s) => s.processor)), median(lateTurns.flatMap((t) => t.processor)), (x) => `${x.toFixed(2)} s`],
    ['peak memory', Math.max(...peaks), Math.max(...theirs.map((t) => t.peak)), gigabytes],
  ];
  for (const [what, mine, other, format] of rows) {
    const compared = theirs.length ? `, PyTorch ${format(other)}, ratio ${(mine / other).toFixed(2)}` : '';
    console.log(`${what.padEnd(22)} captioning ${format(mine)}${compared}`);
  }
}

const folder = fs.mkdtempSync(path.join(tmpdir(), 'bench-vit-gpt2-'));
void main(folder).finally(() => fs.rmSync(folder, { recursive: true }));
