/** The tiny CLIP of scripts/reference/clip_score.py: weights by formula, the tokenizer of test/fixtures/tokenizers/clip-bpe. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ClipEmbedder } from '../lib/models';
import { writeSafetensors, type TensorToWrite } from '../lib/weights';
import { formulaValues } from './formula';
import fixture from './fixtures/metrics/clip-score.json';

const fixtures = path.join(__dirname, 'fixtures');

export const tinyClipPictures = fixture.pictures.map((name) => path.join(fixtures, 'images', name));

/** Reads it from a checkpoint folder that is gone afterwards; the caller disposes it. */
export function tinyClip(): ClipEmbedder {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'clip-'));
  try {
    fs.cpSync(path.join(fixtures, 'tokenizers', 'clip-bpe'), folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(fixture.config));
    fs.writeFileSync(path.join(folder, 'preprocessor_config.json'), JSON.stringify(fixture.processor));
    const weights = new Map<string, TensorToWrite>();
    for (const [name, shape] of Object.entries(fixture.tensors)) weights.set(name, { shape, data: formulaValues(name, shape) });
    writeSafetensors(path.join(folder, 'model.safetensors'), weights);
    return ClipEmbedder.load(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
