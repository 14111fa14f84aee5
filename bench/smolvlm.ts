/**
 * SmolVLM-256M: 40 tokens about one picture, which is one tile of 512×512 pixels (`--tiles 17` for a picture cut as the published
 * processor cuts large ones), greedy, float32; the picture's encoding included. Beside transformers' generate, with the same random
 * weights, which must find the same tokens.
 *
 *   npx tsx bench/smolvlm.ts [--rounds 4] [--tiles 1] [--folder FOLDER] [--json FILE] [--source]
 *
 * FOLDER keeps the weights for another run.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { captioning, inFolder, options, writeTensor } from './harness/library';
import { Peer } from './harness/peer';
import { report, row } from './harness/results';
import { takeTurns, timed, warmUp, type Time, type Turn } from './harness/turns';

const { Random, save, SmolVLMForConditionalGeneration, smolVLMSizes, tf } = captioning;
const values = options({ rounds: '4', tiles: '1', folder: '' });
const tokens = 40, end = 0, size = smolVLMSizes['256M'], { imageTokenId, visionConfig: { imageSize, patchSize }, scaleFactor } = size;

async function main(folder: string): Promise<void> {
  const model = new SmolVLMForConditionalGeneration(size, new Random(1)), tiles = Number(values.tiles);
  model.eval();
  if (!fs.existsSync(path.join(folder, 'model.safetensors'))) save(folder, { model });
  // A question of 20 words, with each tile's places before it.
  const places = tiles * (imageSize / patchSize / scaleFactor) ** 2;
  const inputs = [[1, ...Array<number>(places).fill(imageTokenId), ...Array.from({ length: 20 }, (_, i) => 100 + 97 * i)]];
  const inputIds = tf.tensor2d(inputs, undefined, 'int32');
  const pixelValues = tf.randomUniform([1, tiles, imageSize, imageSize, 3], -1, 1, 'float32', 2);
  const generate = () => model.generate({ inputIds, pixelValues }, { maxNewTokens: tokens, eosTokenId: end }).sequences;
  const peer = await Peer.start('smolvlm.py', JSON.stringify({
    folder, end, tokens, inputs, pixels: writeTensor(path.join(folder, 'pixels.bin'), pixelValues),
  }));
  const own = generate(), sides: Record<string, Turn> = { ours: () => timed(generate) };
  if (own[0].length !== inputs[0].length + tokens) throw new Error('The text ended early: choose another end token.');
  if (peer) {
    const found = await peer.ask<number[][]>('generate');
    const last = [own, found].map(([ids]) => ids.slice(-tokens));
    if (`${found}` !== `${own}`) throw new Error(`The sides find other tokens: ${JSON.stringify(last)}.`);
    sides.torch = () => peer.ask<Time[]>('time', { steps: 1 });
  }
  warmUp(generate, 3);
  const times = await takeTurns(Number(values.rounds), sides);
  const work = `greedy, SmolVLM-256M, one picture of ${tiles} ${tiles === 1 ? 'tile' : 'tiles'}, ${tokens} tokens`;
  const same = peer && `the same ${tokens} tokens on both sides`;
  peer?.stop();
  report([peer?.description], [
    row({ work, against: 'transformers generate', target: 0.8, same }, { times: times.ours }, times.torch && { times: times.torch }),
  ], values.json);
}

void inFolder(main, values.folder);
