import type { Scalar, Tensor } from '@tensorflow/tfjs-node-gpu';
import { currentPrecision, withPrecision } from './precision';
import { tf } from './tensorflow';

/** What TensorFlow.js records of an operation while a tape runs. */
interface TapeNode {
  inputs: Record<string, Tensor>;
  outputs: Tensor[];
  /** Undefined where the kernel has none. */
  gradient?: (dys: (Tensor | null)[]) => Record<string, () => Tensor>;
  saved?: Tensor[] | null;
  kernelName: string;
}

interface Tape {
  state: { gradientDepth: number; activeTape: TapeNode[] | null };
  startTape(): void;
  endTape(): void;
  nextTensorId(): number;
}

const tapeOf = (): Tape => tf.engine() as unknown as Tape;

/**
 * Value of `loss` and its gradient for each tensor of `inputs`; null where the loss does not depend on one. The caller disposes
 * the value and the gradients. What the forward pass saved goes as the backward pass comes by, which TensorFlow.js' own holds to its end.
 */
export function valueAndGradients(loss: () => Scalar, inputs: readonly Tensor[]): { value: Scalar; gradients: (Tensor | null)[] } {
  const tape = tapeOf(), { state } = tape;
  let value: Scalar | undefined, nodes: TapeNode[] = [];
  try {
    tape.startTape();
    try { value = tf.tidy(loss); } finally {
      tape.endTape();
      if (state.gradientDepth === 0) {
        // The backward pass of a node may hold a tape of its own.
        nodes = state.activeTape ?? [];
        state.activeTape = null;
      }
    }
    const recorded = state.activeTape ?? nodes;
    const gradients = tf.tidy(() => backward(recorded, value!, inputs) as never) as (Tensor | null)[];
    return { value, gradients };
  } catch (error) {
    value?.dispose();
    throw error;
  } finally {
    // What the forward pass had saved and no backward pass used.
    for (const { saved } of nodes) tf.dispose(saved ?? []);
  }
}

function backward(tape: readonly TapeNode[], value: Tensor, inputs: readonly Tensor[]): (Tensor | null)[] {
  const { state } = tapeOf();
  const dependent = new Set(inputs.map(({ id }) => id)), wanted = new Set(dependent);
  const nodes = tape.filter(({ inputs: from, outputs }) => {
    const depends = Object.values(from).some(({ id }) => dependent.has(id));
    if (depends) for (const { id } of outputs) dependent.add(id);
    return depends;
  });
  const gradients = new Map<number, Tensor>([[value.id, tf.onesLike(value)]]);
  for (const node of nodes.reverse()) {
    const dys = node.outputs.map(({ id }) => gradients.get(id) ?? null);
    if (dys.some((dy) => dy !== null)) {
      for (const [x, dx] of inputGradients(node, dys, dependent)) {
        const former = gradients.get(x.id);
        gradients.set(x.id, former ? tf.add(former, dx) : dx);
        if (former) tf.dispose([former, dx]);
      }
    }
    // All that read this node's outputs lies behind, so nobody asks for their gradients again, nor for what the node saved.
    for (const { id } of node.outputs) if (!wanted.has(id)) { gradients.get(id)?.dispose(); gradients.delete(id); }
    if (state.gradientDepth === 0) tf.dispose(node.saved ?? []);
  }
  return inputs.map(({ id }) => gradients.get(id) ?? null);
}

/** The gradients of those inputs of a node that depend on what is differentiated for; each is a tensor of its own. */
function inputGradients(node: TapeNode, dys: (Tensor | null)[], dependent: ReadonlySet<number>): [x: Tensor, dx: Tensor][] {
  const names = Object.keys(node.inputs).filter((name) => dependent.has(node.inputs[name].id));
  if (!node.gradient) throw new Error(`${node.kernelName} has no gradient: write the function with operations that have one.`);
  const fresh = tapeOf().nextTensorId();
  const dxs = tf.tidy(() => {
    const all = node.gradient!(dys);
    return names.map((name) => all[name]()) as never;
  }) as Tensor[];
  return names.map((name, i) => {
    // A gradient function may hand on what it was given, or one tensor for two inputs.
    const x = node.inputs[name], dx = dxs[i].id < fresh || dxs.indexOf(dxs[i]) < i ? tf.clone(dxs[i]) : dxs[i];
    if (dx.dtype !== 'float32' || String(dx.shape) !== String(x.shape)) {
      throw new Error(`The gradient of ${node.kernelName} for ${name} is ${dx.dtype} [${dx.shape}]: expected float32 [${x.shape}].`);
    }
    return [x, dx];
  });
}

/**
 * An operation with a gradient of its own. Intermediates of `forward` are disposed unless it passes them to `save`;
 * `backward` gets the output's gradient and what was saved, and returns one gradient for each input; its products have the precision
 * of the forward pass.
 */
export function customGradient(inputs: readonly Tensor[], forward: (save: (...tensors: Tensor[]) => void) => Tensor,
  backward: (dy: Tensor, saved: Tensor[]) => Tensor[]): Tensor {
  const precision = currentPrecision();
  const op = tf.customGrad((...args) => {
    const save = args[args.length - 1] as unknown as (tensors: Tensor[]) => void;
    const value = tf.tidy(() => forward((...tensors) => save(tensors)));
    return { value, gradFunc: (dy: Tensor, saved: Tensor[]) => withPrecision(precision, () => backward(dy, saved)) as never };
  });
  return op(...(inputs as Tensor[]));
}
