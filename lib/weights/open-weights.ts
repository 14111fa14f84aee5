import * as fs from 'node:fs';
import * as path from 'node:path';
import { SafetensorsFile } from './safetensors';
import { ShardedWeights } from './sharded';
import { WeightsError } from './stored-dtype';
import { TorchFile } from './torch-file';
import { isZip } from './torch-zip';
import { isLegacyTorch } from './torch-legacy';
import { openFile, readBytes, type WeightSource } from './weight-source';

/** What a checkpoint folder may hold, in the order of transformers: safetensors before PyTorch, whole before in parts. */
const usual = ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin', 'pytorch_model.bin.index.json'];

/**
 * Opens the weights of a file or of a checkpoint folder, whichever format they are in: safetensors, PyTorch's .bin/.pth/.pt, or several of
 * them behind an index. A folder without the usual names may hold exactly one .safetensors, .pth or .pt file.
 *
 * @throws WeightsError when there is none, or it is damaged or holds anything but tensors.
 */
export function openWeights(fileOrFolder: string): WeightSource {
  const stat = fs.statSync(fileOrFolder, { throwIfNoEntry: false });
  const file = stat?.isDirectory() ? weightsIn(fileOrFolder) : fileOrFolder;
  return file.endsWith('.index.json') ? ShardedWeights.open(file, openOne) : openOne(file);
}

/** Whether a checkpoint folder holds weights at all. */
export const hasWeights = (folder: string): boolean => fs.readdirSync(folder).some((name) => usual.includes(name) || /\.(safetensors|pth|pt)$/.test(name));

function weightsIn(folder: string): string {
  const found = usual.find((name) => fs.existsSync(path.join(folder, name)));
  if (found) return path.join(folder, found);
  const names = fs.readdirSync(folder).filter((name) => /\.(safetensors|pth|pt)$/.test(name)).sort();
  if (names.length === 1) return path.join(folder, names[0]);
  throw new WeightsError(names.length ? `${folder} holds several weights (${names.join(', ')}) and none has a usual name: give the path of one.`
    : `${folder} holds no weights (looked for ${usual.join(', ')}): download them, or check the path.`);
}

/** By what the file begins with rather than by its name: many a .bin is safetensors, many a .safetensors was renamed. */
function openOne(file: string): WeightSource {
  const descriptor = openFile(file);
  let start: Uint8Array;
  try { start = new Uint8Array(readBytes(descriptor, 0, Math.min(16, fs.fstatSync(descriptor).size), file)); } finally { fs.closeSync(descriptor); }
  const isTorch = isZip(start) || isLegacyTorch(start) || /\.(bin|pth|pt|ckpt)$/.test(file) && start[8] !== 0x7b;
  return isTorch ? TorchFile.open(file) : SafetensorsFile.open(file);
}
