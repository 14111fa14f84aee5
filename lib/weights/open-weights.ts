import * as fs from 'node:fs';
import * as path from 'node:path';
import { SafetensorsFile } from './safetensors';
import { ShardedWeights } from './sharded';
import { WeightsError } from './stored-dtype';
import { TorchFile } from './torch-file';
import { isZip } from './torch-zip';
import { isLegacyTorch } from './torch-legacy';
import { otherWeightFiles, weightFileNames, weightFilesAmong } from './weight-files';
import { openFile, readBytes, type WeightSource } from './weight-source';

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
export function hasWeights(folder: string): boolean {
  const names = fs.readdirSync(folder);
  return weightFilesAmong(names).length > 0 || otherWeightFiles(names).length > 0;
}

function weightsIn(folder: string): string {
  const names = fs.readdirSync(folder), [head] = weightFilesAmong(names);
  if (head) return path.join(folder, head);
  const others = otherWeightFiles(names);
  throw new WeightsError(others.length
    ? `${folder} holds several weights (${others.join(', ')}) and none has a usual name: give the path of one.`
    : `${folder} holds no weights (looked for ${weightFileNames.join(', ')}): download them, or check the path.`);
}

/** By what the file begins with rather than by its name: many a .bin is safetensors, many a .safetensors was renamed. */
function openOne(file: string): WeightSource {
  const descriptor = openFile(file);
  let start: Uint8Array;
  try { start = new Uint8Array(readBytes(descriptor, 0, Math.min(16, fs.fstatSync(descriptor).size), file)); } finally { fs.closeSync(descriptor); }
  const isTorch = isZip(start) || isLegacyTorch(start) || /\.(bin|pth|pt|ckpt)$/.test(file) && start[8] !== 0x7b;
  return isTorch ? TorchFile.open(file) : SafetensorsFile.open(file);
}
