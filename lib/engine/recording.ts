/**
 * Records what TensorFlow is asked to do while a function runs, as a graph that can be run again (graph-function.ts). The function runs as
 * always meanwhile: TensorFlow.js' kernels and our own ops all go through one call of the addon, which is watched here.
 */
import type { Tensor, TensorInfo } from '@tensorflow/tfjs-node-gpu';
import { backend, nativeOp, type Binding, type OpAttribute, type RawTensor } from './native';
import { tf } from './tensorflow';

/** As the addon's defineFunction takes them: a value's number is its place among the outputs of all nodes. */
export type GraphNode =
  | {
    op: string; attributes: OpAttribute[]; inputs: number[]; /** So many first inputs are one argument. */ list: number; outputs: number;
    /** Values that must be there before it runs. */
    after?: number[];
  }
  | { op: 'Const'; dtype: number; shape: number[]; data: ArrayBufferView };

type TensorValues = ArrayBufferView | null;

interface WatchedBackend {
  binding: Binding;
  tensorMap: { get(dataId: object): { id: number; dtype: number; shape: number[]; values: TensorValues } };
  getInputTensorIds(inputs: TensorInfo[]): number[];
  write(values: ArrayBufferView, shape: number[], dtype: string): object;
  readSync(dataId: object): unknown;
}

/** Ops whose first inputs are one argument, a list of any length, and how many inputs come after it. */
const inputsAfterList = new Map([['ConcatV2', 1], ['Pack', 0], ['AddN', 0], ['Einsum', 0], ['IdentityN', 0]]);

/** Ops that change what they are given, or draw numbers of their own: run again, they would do other things than they did. */
const isStateful = (op: string): boolean => /^(Assign|ResourceApply|ReadVariable|VarHandle|DestroyResource|Random|Multinomial)/.test(op);

let current: Recording | undefined;

/** Seeds that were drawn, to be kept or to be drawn once more (`keepingSeeds`, `repeatingSeeds`). */
let kept: Tensor[] | undefined, repeated: Tensor[] | undefined;

/** Draws the seed of random values; a recorded function draws anew every time it runs. The caller disposes the tensor. */
export function drawSeed(draw: () => readonly [number, number], toTensor: (seed: readonly [number, number]) => Tensor): Tensor {
  let tensor: Tensor;
  if (repeated) {
    const seed = repeated.shift();
    if (!seed) throw new Error('More random values are drawn than the first time.');
    tensor = tf.clone(seed);
  } else {
    const seed = draw();
    tensor = toTensor(seed);
    current?.addDraw(tensor, draw, seed);
  }
  kept?.push(tf.keep(tf.clone(tensor)));
  return tensor;
}

/** Runs `fn`; the seeds that it drew are the caller's to dispose. */
export function keepingSeeds<T>(fn: () => T): { result: T; seeds: Tensor[] } {
  const former = kept, seeds: Tensor[] = kept = [];
  try {
    const result = fn();
    former?.push(...seeds.map((seed) => tf.keep(tf.clone(seed))));
    return { result, seeds };
  } catch (error) {
    tf.dispose(seeds);
    throw error;
  } finally {
    kept = former;
  }
}

/** Runs `fn` with these seeds in place of those that it would draw. */
export function repeatingSeeds<T>(seeds: readonly Tensor[], fn: () => T): T {
  const former = repeated;
  repeated = [...seeds];
  try { return fn(); } finally { repeated = former; }
}

/** The same values, which a graph reads only once it has computed `when`. */
export function after(x: Tensor, when: Tensor): Tensor {
  const [same] = nativeOp('Identity', { T: { dtype: 'float32' } }, [x]);
  current?.orderLast(when);
  return same;
}

export interface Draw {
  draw: () => readonly [number, number];
  /** What it gave while it was recorded. */
  recorded: readonly [number, number];
}

export class Recording {
  readonly nodes: GraphNode[] = [];
  /** Values that are put in from outside: the given inputs, then state and seeds in the order in which they were first used. */
  readonly arguments: number[] = [];
  /** Which of `state` were used. */
  readonly usedState: number[] = [];
  readonly draws: Draw[] = [];
  /** What stands behind the given inputs: a place in `usedState` or in `draws`. */
  readonly further: ({ state: number } | { draw: number })[] = [];
  /** Why what ran cannot be run again from its graph; undefined if it can. */
  obstacle?: string;
  private readonly values = new Map<number, number>();
  private readonly fresh = new Set<object>();
  private readonly state: Map<number, number>;
  private count = 0;

  private constructor(
    private readonly watched: WatchedBackend, inputs: readonly Tensor[], private readonly stateTensors: readonly Tensor[],
  ) {
    for (const tensor of inputs) this.arguments.push(this.addPlaceholder(tensor));
    this.state = new Map(watched.getInputTensorIds([...stateTensors]).map((id, i) => [id, i]));
  }

  /**
   * Runs `fn` and records it. It may read `inputs`, which are other tensors every time, and `state`, what it keeps between its runs.
   * A recording inside another is not made: its obstacle says so.
   */
  static of<T>(inputs: readonly Tensor[], state: readonly Tensor[], fn: () => T): { result: T; recording: Recording } {
    const watched = backend() as unknown as WatchedBackend, recording = new Recording(watched, inputs, state);
    if (current) {
      recording.obstacle = 'it ran inside another recorded function';
      return { result: fn(), recording };
    }
    const { binding, getInputTensorIds, write, readSync } = watched;
    current = recording;
    try {
      Object.assign(watched, {
        binding: Object.create(binding, { executeOp: { value: recording.executeOp.bind(recording, binding) } }),
        write: (...args: Parameters<typeof write>) => {
          const dataId = write.apply(watched, args);
          recording.fresh.add(dataId);
          return dataId;
        },
        getInputTensorIds: (tensors: TensorInfo[]) => recording.idsOf(tensors, () => getInputTensorIds.call(watched, tensors)),
        readSync: (dataId: object) => {
          if (!recording.fresh.has(dataId)) recording.obstacle ??= 'it reads values that it computed or was given';
          return readSync.call(watched, dataId);
        },
      });
      return { result: fn(), recording };
    } finally {
      current = undefined;
      const own = watched as unknown as Record<string, unknown>;
      for (const method of ['write', 'getInputTensorIds', 'readSync']) delete own[method];
      watched.binding = binding;
    }
  }

  /** The value of a tensor that was computed or read while recording. */
  valueOf(tensor: Tensor): number {
    const [id] = this.idsOf([tensor], () => this.watched.getInputTensorIds([tensor])), value = this.values.get(id);
    if (value !== undefined) return value;
    this.obstacle ??= 'it returns a tensor that it did not compute';
    return 0;
  }

  addDraw(tensor: Tensor, draw: Draw['draw'], recorded: Draw['recorded']): void {
    const { fresh, watched } = this;
    fresh.delete(tensor.dataId);
    // Uploaded now, and known: it is an argument and no constant.
    const [id] = Object.getPrototypeOf(watched).getInputTensorIds.call(watched, [tensor]) as number[];
    this.further.push({ draw: this.draws.push({ draw, recorded }) - 1 });
    this.arguments.push(this.addPlaceholder(tensor, id));
  }

  /** The last node waits for this value. */
  orderLast(when: Tensor): void {
    const last = this.nodes[this.nodes.length - 1];
    if ('inputs' in last) last.after = [this.valueOf(when)];
  }

  private addPlaceholder(tensor: Tensor, id = this.watched.getInputTensorIds([tensor])[0]): number {
    const { binding } = this.watched, { dtype, shape } = this.watched.tensorMap.get(tensor.dataId);
    const attributes = [
      { name: 'dtype', type: binding.TF_ATTR_TYPE, value: dtype },
      { name: 'shape', type: binding.TF_ATTR_SHAPE, value: shape },
    ];
    return this.add(id, { op: 'Placeholder', attributes, inputs: [], list: 0, outputs: 1 });
  }

  private add(id: number, node: GraphNode): number {
    this.nodes.push(node);
    this.values.set(id, this.count);
    return this.count++;
  }

  private idsOf(tensors: TensorInfo[], upload: () => number[]): number[] {
    const waiting = tensors.map(({ dataId }) => {
      const { values, dtype, shape } = this.watched.tensorMap.get(dataId) ?? {};
      return values && this.fresh.has(dataId) ? { dtype: dtype!, shape: shape!, values } : undefined;
    });
    const ids = upload();
    for (const [i, constant] of waiting.entries()) if (constant && !this.values.has(ids[i])) this.addConstant(ids[i], constant);
    return ids;
  }

  private addConstant(id: number, { dtype, shape, values }: { dtype: number; shape: number[]; values: NonNullable<TensorValues> }): void {
    if (!ArrayBuffer.isView(values)) this.obstacle ??= 'it makes a tensor of strings';
    else this.add(id, { op: 'Const', dtype, shape: [...shape], data: values });
  }

  private executeOp(binding: Binding, op: string, attributes: OpAttribute[], inputIds: number[], outputs: number): RawTensor[] {
    const inputs = inputIds.map((id) => this.values.get(id) ?? this.readState(id));
    const results = binding.executeOp(op, attributes, inputIds, outputs);
    if (isStateful(op)) this.obstacle ??= `it runs ${op}, which changes what it is given`;
    const after = inputsAfterList.get(op);
    this.nodes.push({ op, attributes: [...attributes], inputs, list: after === undefined ? 0 : inputs.length - after, outputs });
    for (const { id } of results) this.values.set(id, this.count++);
    return results;
  }

  private readState(id: number): number {
    const index = this.state.get(id);
    if (index === undefined) {
      this.obstacle ??= 'it reads a tensor that is neither an input nor of its state';
      return 0;
    }
    this.further.push({ state: this.usedState.push(index) - 1 });
    const value = this.addPlaceholder(this.stateTensors[index], id);
    this.arguments.push(value);
    return value;
  }
}
