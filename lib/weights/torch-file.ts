/**
 * Reading what PyTorch's torch.save writes (.bin, .pth, .pt), in the zip form of version 1.6 and later and the form before it: only dicts of
 * tensors. The pickle inside is read by a machine that cannot call anything (unpickler.ts).
 */
import * as fs from 'node:fs';
import { bytesOf, elementCount, toFloat32, toInt32, WeightsError } from './stored-dtype';
import { storageOf, torchGlobals, TorchTensor, type TorchStorage } from './torch-globals';
import { declare, isLegacyTorch, MAX_PICKLE_BYTES, readLegacyTorch, type TorchContents } from './torch-legacy';
import { isZip, readStoredZip } from './torch-zip';
import { unpickle, type Pickled } from './unpickler';
import { openFile, readBytes, type WeightSource } from './weight-source';

/** Under which a training checkpoint keeps the weights, beside its optimizer and epoch. */
const wrappers = ['state_dict', 'model_state_dict', 'model'];

export class TorchFile implements WeightSource {
  private constructor(
    readonly file: string, private readonly descriptor: number,
    readonly tensors: ReadonlyMap<string, TorchTensor>, private readonly storages: TorchContents['storages'],
  ) {}

  /** @throws WeightsError naming the file, and the key, storage or Python global at fault. */
  static open(file: string): TorchFile {
    const descriptor = openFile(file);
    try {
      const { size } = fs.fstatSync(descriptor);
      const start = new Uint8Array(readBytes(descriptor, 0, Math.min(16, size), file));
      if (!isZip(start) && !isLegacyTorch(start)) throw new WeightsError(`${file} is not in a form of torch.save: download or save it again.`);
      const { value, storages } = isZip(start) ? readZip(file, descriptor, size) : readLegacyTorch(file, descriptor, size);
      const tensors = stateIn(file, value);
      for (const [name, tensor] of tensors) check(file, name, tensor, storages);
      return new TorchFile(file, descriptor, tensors, storages);
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
  }

  read(name: string): Float32Array {
    const tensor = this.tensor(name);
    return toFloat32(this.bytes(name, tensor), tensor.dtype);
  }

  readInt32(name: string): Int32Array {
    const tensor = this.tensor(name);
    return toInt32(this.bytes(name, tensor), tensor.dtype, `${this.file}: tensor "${name}"`);
  }

  private tensor(name: string): TorchTensor {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new WeightsError(`${this.file} has no tensor "${name}".`);
    return tensor;
  }

  /** The tensor's values in row-major order: of the storage only the part it covers is read. */
  private bytes(name: string, { storage, dtype, offset, shape, stride }: TorchTensor): ArrayBuffer {
    const width = bytesOf(dtype), count = elementCount(shape)!;
    if (count === 0) return new ArrayBuffer(0);
    const { begin } = this.storages.get(storage.key)!;
    const covered = readBytes(this.descriptor, begin + offset * width, reach(shape, stride) * width, `${this.file}: tensor "${name}"`);
    if (isContiguous(shape, stride)) return covered;
    const gathered = new ArrayBuffer(count * width);
    const Words = width === 8 ? BigUint64Array : width === 4 ? Uint32Array : width === 2 ? Uint16Array : Uint8Array;
    const from = new Words(covered), to = new Words(gathered);
    const index = shape.map(() => 0);
    for (let i = 0, at = 0; i < count; i++) {
      to[i] = from[at];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        at += stride[axis];
        if (++index[axis] < shape[axis]) break;
        at -= stride[axis] * shape[axis];
        index[axis] = 0;
      }
    }
    return gathered;
  }

  close(): void { fs.closeSync(this.descriptor); }
}

/** Values from a tensor's first to its last in the storage. */
const reach = (shape: readonly number[], stride: readonly number[]): number => shape.reduce((sum, size, axis) => sum + (size - 1) * stride[axis], 1);

function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let wanted = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== wanted) return false;
    wanted *= shape[axis];
  }
  return true;
}

function readZip(file: string, descriptor: number, size: number): TorchContents {
  const fail = (what: string): never => {
    throw new WeightsError(`${file}: ${what}. The file is damaged or not made by torch.save: download or save it again.`);
  };
  const entries = readStoredZip(file, descriptor, size);
  const pickles = [...entries.keys()].filter((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  if (pickles.length !== 1) return fail(`it has ${pickles.length} entries data.pkl instead of one`);
  const folder = pickles[0].slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) fail('it is a TorchScript program, not a file of tensors: save the state_dict');
  const { begin, length } = entries.get(pickles[0])!;
  if (length > MAX_PICKLE_BYTES) fail(`its data.pkl has ${length} bytes, more than the allowed ${MAX_PICKLE_BYTES}`);
  const order = entries.get(`${folder}byteorder`);
  const text = order && Buffer.from(readBytes(descriptor, order.begin, Math.min(order.length, 16), file)).toString('latin1');
  if (text !== undefined && text !== 'little') fail('written on a big-endian machine, which is not read here');
  const declared = new Map<string, TorchStorage>();
  const host = { file, global: torchGlobals(file), persistent: (id: Pickled) => declare(declared, storageOf(file, id), fail) };
  const { value } = unpickle(Buffer.from(readBytes(descriptor, begin, length, file)), 0, host);
  const storages = new Map([...declared.values()].map((storage) => {
    const range = entries.get(`${folder}data/${storage.key}`);
    if (!range) return fail(`the storage ${storage.key} is missing`);
    // A storage without a type of its own is counted in bytes.
    const wanted = storage.count * (storage.dtype ? bytesOf(storage.dtype) : 1);
    if (range.length !== wanted) fail(`the storage ${storage.key} has ${range.length} bytes instead of ${wanted}`);
    return [storage.key, range] as const;
  }));
  return { value, storages };
}

/** The dict of tensors that was saved, or that a training checkpoint holds under one of the usual names. */
function stateIn(file: string, value: Pickled): Map<string, TorchTensor> {
  if (!(value instanceof Map)) {
    const what = value instanceof TorchTensor ? 'one tensor' : 'something else';
    throw new WeightsError(`${file} holds ${what} instead of a dict of tensors: save the state_dict.`);
  }
  const wrapper = wrappers.find((key) => value.get(key) instanceof Map);
  const state = wrapper === undefined ? value : value.get(wrapper) as Map<Pickled, Pickled>;
  const tensors = new Map<string, TorchTensor>();
  for (const [name, tensor] of state) {
    if (typeof name !== 'string') throw new WeightsError(`${file}: a key of its dict is no text.`);
    if (!(tensor instanceof TorchTensor)) {
      throw new WeightsError(`${file}: "${name}" is not a tensor; expected a dict of tensors, or one under ${wrappers.join(', ')}. Save the state_dict.`);
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

function check(file: string, name: string, { storage, dtype, offset, shape, stride }: TorchTensor, storages: TorchContents['storages']): void {
  const available = Math.floor(storages.get(storage.key)!.length / bytesOf(dtype));
  const needed = elementCount(shape) === 0 ? 0 : offset + reach(shape, stride);
  if (needed <= available) return;
  throw new WeightsError(`${file}: tensor "${name}" reaches to value ${needed} of a storage of ${available}. The file is damaged: download or save it again.`);
}
