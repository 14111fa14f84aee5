/**
 * Captions of 20 tokens by ViT-B/16 and GPT-2 small, the pictures' encoding included: greedy and with 5 beams for 8 pictures beside
 * transformers' generate, greedy for one picture also beside ONNX Runtime (encoder and decoder with cached keys and values, exported by
 * generation_onnx.py). Random weights, the same on all sides, which must find the same tokens. The end token is one that they never choose.
 *
 *   npx tsx bench/generation.ts [--rounds 5] [--cases greedy,beam,one] [--folder FOLDER] [--json FILE] [--source]
 *
 * FOLDER keeps weights and graphs for another run: the export takes half a minute.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { captioning, inFolder, options, writeTensor } from './harness/library';
import { Peer } from './harness/peer';
import { report, row, type Row } from './harness/results';
import { takeTurns, timed, warmUp, type Time, type Turn } from './harness/turns';

const { Random, save, tf, VisionEncoderDecoderModel, vitSizes } = captioning;
const values = options({ rounds: '5', cases: 'greedy,beam,one', folder: '' });
const [start, end, tokens] = [50256, 0, 20];
const cases = {
  greedy: { work: 'greedy, ViT-B + GPT-2 small, 8 pictures, 20 tokens', batch: 8, beams: 1, steps: 1, target: 0.5 },
  beam: { work: '5 beams, ViT-B + GPT-2 small, 8 pictures, 20 tokens', batch: 8, beams: 5, steps: 1, target: 0.5 },
  one: { work: 'greedy, ViT-B + GPT-2 small, one picture, 20 tokens', batch: 1, beams: 1, steps: 3, target: undefined },
};

async function main(folder: string): Promise<void> {
  const random = new Random(1);
  const model = new VisionEncoderDecoderModel(
    { encoder: vitSizes.base, decoder: {}, decoderStartTokenId: start, padTokenId: start }, random, { pooler: false });
  model.eval();
  // The same seed gives the same weights.
  if (!fs.existsSync(path.join(folder, 'model.safetensors'))) save(folder, { model });
  const settings = JSON.stringify({ folder, start, end, tokens, layers: model.decoder.config.nLayer });
  const torch = await Peer.start('generation.py', settings), onnx = await Peer.start('generation_onnx.py', settings);
  const rows: Row[] = [];
  for (const name of values.cases.split(',') as (keyof typeof cases)[]) {
    const { work, batch, beams, steps, target } = cases[name];
    const pixelValues = tf.randomNormal([batch, 224, 224, 3], 0, 1, 'float32', 2);
    const pixels = writeTensor(path.join(folder, 'pixels.bin'), pixelValues);
    const generate = () => model.generate({ pixelValues }, { numBeams: beams, maxNewTokens: tokens, eosTokenId: end }).sequences;
    const request = { pixels, beams }, own = generate();
    if (own.some((row) => row.includes(end))) throw new Error('A text ended early: choose another end token.');
    const others = { torch, ...(name === 'one' ? { onnx } : {}) }, sides: Record<string, Turn> = { ours: () => timed(generate, steps) };
    for (const [side, peer] of Object.entries(others)) {
      if (!peer) continue;
      const found = await peer.ask<number[][]>('generate', request);
      if (`${found}` !== `${own}`) throw new Error(`${work}: the sides find other tokens, ${JSON.stringify([own, found])}.`);
      sides[side] = () => peer.ask<Time[]>('time', { ...request, steps });
    }
    warmUp(generate);
    const times = await takeTurns(Number(values.rounds), sides), ours = { times: times.ours };
    const same = `the same ${tokens} tokens of ${batch} on all sides`;
    rows.push(row({ work, against: 'transformers generate', target, same }, ours, times.torch && { times: times.torch }));
    if (name === 'one') rows.push(row({ work, against: 'ONNX Runtime', target: 1, same }, ours, times.onnx && { times: times.onnx }));
    pixelValues.dispose();
  }
  for (const peer of [torch, onnx]) peer?.stop();
  report([torch?.description, onnx?.description], rows, values.json);
}

void inFolder(main, values.folder);
