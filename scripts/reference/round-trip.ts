/**
 * A ViT–GPT-2 there and back: saved here and captioned by Python's transformers, saved by transformers and captioned here. All ids agree.
 *
 * Run: npx tsx scripts/reference/round-trip.ts [python]   (an interpreter with torch and transformers; default python3)
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Random, tf } from '../../lib/engine';
import { load, save, VisionEncoderDecoderModel } from '../../lib/models';
import { formulaValues } from '../../test/formula';

const python = process.argv[2] ?? 'python3', script = path.join(__dirname, 'vision_encoder_decoder.py');

/** The settings of the Python script: greedy, then four beams, for the same three pictures. */
function captions(model: VisionEncoderDecoderModel): number[][][] {
  const { numChannels, imageSize } = model.config.encoder, shape = [3, numChannels, imageSize, imageSize];
  const pixelValues = tf.tensor(formulaValues('pixels', shape).map((v) => v * 3), shape);
  return [1, 4].map((numBeams) => model.generate({ pixelValues }, { numBeams, maxNewTokens: 12 }).sequences);
}

const ofPython = (folder: string): number[][][] => JSON.parse(execFileSync(python, [script, 'captions', folder],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })) as number[][][];

function agree(what: string, ours: number[][][], theirs: number[][][]): void {
  const [a, b] = [ours, theirs].map((ids) => JSON.stringify(ids));
  console.log(`${what}: ${a === b ? 'the same captions' : `DIFFERENT\n  here   ${a}\n  Python ${b}`}`);
  if (a !== b) process.exitCode = 1;
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'round-trip-'));
try {
  // A network of its own making, with sharper weights than fresh ones so that captions are not all alike.
  const model = new VisionEncoderDecoderModel({
    encoder: { imageSize: 24, patchSize: 8, hiddenSize: 20, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 30 },
    decoder: { vocabSize: 53, nPositions: 24, nEmbd: 28, nLayer: 2, nHead: 4 }, decoderStartTokenId: 1, padTokenId: 0,
  }, new Random(7), { pooler: true });
  model.generationConfig = { decoderStartTokenId: 1, eosTokenId: 2, padTokenId: 0 };
  for (const parameter of model.parameters()) if (parameter.shape.length > 1) parameter.assign(tf.mul(parameter.tensor, 6));
  save(folder, { model });
  agree('saved here, read by transformers', captions(model), ofPython(folder));
  const theirs = path.join(__dirname, '../../test/fixtures/models/vit-gpt2');
  agree('saved by transformers, read here', captions(load(theirs, { as: VisionEncoderDecoderModel }).model), ofPython(theirs));
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
