/** The names a PyTorch file of tensors may use, and what they build here: storages and strided views of them, in dicts. */
import { elementCount, WeightsError, type StoredDtype } from './stored-dtype';
import { PickleGlobal, type Pickled } from './unpickler';

/** Numbers in a row that tensors are views of. `dtype` is undefined where only the tensor says it. */
export class TorchStorage {
  constructor(readonly key: string, readonly dtype: StoredDtype | undefined, readonly count: number) {}
}

export class TorchTensor {
  constructor(readonly storage: TorchStorage, readonly dtype: StoredDtype, readonly offset: number, readonly shape: number[], readonly stride: number[]) {}
}

const storageTypes: Record<string, StoredDtype> = {
  Double: 'F64', Float: 'F32', Half: 'F16', BFloat16: 'BF16', Long: 'I64', Int: 'I32', Short: 'I16', Char: 'I8', Byte: 'U8', Bool: 'BOOL',
};
const dtypes: Record<string, StoredDtype> = {
  float64: 'F64', float32: 'F32', float16: 'F16', bfloat16: 'BF16', int64: 'I64', int32: 'I32', int16: 'I16', int8: 'I8', uint8: 'U8', bool: 'BOOL',
  uint16: 'U16', uint32: 'U32', uint64: 'U64',
};

/** A storage's type as a pickle names it. */
class StorageType extends PickleGlobal {
  constructor(name: string, readonly dtype: StoredDtype | undefined) { super(name); }
}
class DtypeName extends PickleGlobal {
  constructor(name: string, readonly dtype: StoredDtype) { super(name); }
}

/** A tensor that repeats its storage (stride 0) may have this many values; others cannot have more than the storage. */
const MOST_REPEATED = 2 ** 26;

const isSizes = (value: Pickled): value is number[] =>
  Array.isArray(value) && value.length <= 64 && value.every((v) => Number.isSafeInteger(v) && (v as number) >= 0);

/** The storage that a persistent id ('storage', type, key, device, count, …) means. */
export function storageOf(file: string, id: Pickled): TorchStorage {
  if (Array.isArray(id)) {
    const [word, type, key, , count] = id;
    if (word === 'storage' && type instanceof StorageType && typeof key === 'string' && Number.isSafeInteger(count) && (count as number) >= 0) {
      return new TorchStorage(key, type.dtype, count as number);
    }
  }
  throw new WeightsError(`${file}: its pickle refers to something else than a storage. The file is damaged or holds more than tensors.`);
}

/** The globals of torch.save; every other name is undefined. */
export function torchGlobals(file: string): (name: string) => PickleGlobal | undefined {
  const fail = (what: string): never => { throw new WeightsError(`${file}: ${what}. The file is damaged or holds more than tensors.`); };

  const tensor = (args: Pickled[], dtype?: StoredDtype): TorchTensor => {
    const [storage, offset, shape, stride] = args;
    const type = dtype ?? (storage instanceof TorchStorage ? storage.dtype : undefined);
    const place = [offset];
    if (!(storage instanceof TorchStorage) || !type || !isSizes(place) || !isSizes(shape) || !isSizes(stride) || shape.length !== stride.length) {
      return fail('a tensor is not described as torch.save does it');
    }
    const extra = args[dtype ? 7 : 6];
    if (extra instanceof Map && extra.size) {
      fail('a tensor is a negated or conjugated view, which is not read here: save a copy (tensor.resolve_neg().contiguous())');
    }
    const count = elementCount(shape);
    if (count === undefined || (count > storage.count && count > MOST_REPEATED)) fail(`a tensor of shape [${shape}] has more values than allowed`);
    return new TorchTensor(storage, type, place[0], shape, stride);
  };
  const parameter = ([value]: Pickled[]): Pickled => (value instanceof TorchTensor ? value : fail('a parameter is not a tensor'));
  const fixed = new Map<string, (args: Pickled[]) => Pickled>([
    ['torch._utils._rebuild_tensor_v2', (args) => tensor(args)],
    ['torch._utils._rebuild_tensor', (args) => tensor(args)],
    ['torch._utils._rebuild_tensor_v3', (args) => {
      const named = args[6];
      return named instanceof DtypeName ? tensor(args, named.dtype) : fail('a tensor without a number format');
    }],
    ['torch._utils._rebuild_parameter', parameter],
    ['torch.Size', ([sizes]) => sizes ?? []],
    // OrderedDict() or OrderedDict([[key, value], …]).
    ['collections.OrderedDict', ([items]) => {
      if (items === undefined) return new Map();
      if (Array.isArray(items) && items.every((item) => Array.isArray(item) && item.length === 2)) return new Map(items as [Pickled, Pickled][]);
      return fail('an OrderedDict is made of something else than pairs');
    }],
  ]);

  return (name) => {
    const call = fixed.get(name);
    if (call) return new PickleGlobal(name, call);
    const [, storage] = /^torch\.(?:cuda\.)?(\w+)Storage$/.exec(name) ?? [];
    if (storage && Object.hasOwn(storageTypes, storage)) return new StorageType(name, storageTypes[storage]);
    if (name === 'torch.storage.UntypedStorage') return new StorageType(name, undefined);
    const [, dtype] = /^torch\.(\w+)$/.exec(name) ?? [];
    return dtype && Object.hasOwn(dtypes, dtype) ? new DtypeName(name, dtypes[dtype]) : undefined;
  };
}
