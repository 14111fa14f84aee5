/**
 * Functions as graphs: recorded once for each set of shapes, then optimized by TensorFlow and run as one operation. No JavaScript runs
 * between the operations, independent ones run side by side, and results are written over inputs that nobody needs any more.
 */
import { createHash } from 'node:crypto';
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { backend } from './native';
import { Recording } from './recording';
import { tf } from './tensorflow';

/** Most sets of shapes that are kept, and most definitions without a use; the one that was not used for longest goes. */
const KEPT = 64;

/** A function of TensorFlow, and how many graphs are it. */
interface Definition { name: string; users: number }

interface Graph {
  definition: Definition;
  recording: Recording;
  /** Place among the graph's outputs of each result; undefined for one that is null. */
  results: (number | undefined)[];
  outputs: number;
}

let defined = 0;

/**
 * By what they do, the last used at the end. Runs of the same network, as a search over learning rates or seeds has them, share theirs:
 * most of what a new one costs is TensorFlow's optimizing.
 */
const definitions = new Map<string, Definition>();

/** What a function that nobody holds any more had of them is free. */
const forgotten = new FinalizationRegistry<Map<string, Graph>>((graphs) => {
  for (const { definition } of graphs.values()) definition.users--;
  removeUnused();
});

/**
 * A function of tensors whose repeated runs TensorFlow executes as graphs. The first run with inputs of certain shapes runs `fn` itself
 * to see what it does, then its graph for the result, so that all runs compute alike.
 *
 * `fn` must do the same for all inputs of the same shapes: it may not read values back, and randomness comes from `drawSeed` alone.
 * What cannot be a graph (`obstacle` says why) runs as it is.
 */
export class GraphFunction<Inputs extends object> {
  /** Why it runs without a graph; undefined while it does not. */
  obstacle: string | undefined;
  private readonly graphs = new Map<string, Graph>();
  /** Runs with shapes of which there is no graph yet. */
  private readonly runs = new Map<string, number>();

  /**
   * @param fn returns new tensors, or null for what there is not
   * @param state tensors that `fn` reads beside its inputs, such as weights: always as many, of the same shapes
   * @param patience so many runs with the same shapes are run as they are before there is a graph, whose making takes longer than a run
   */
  constructor(
    private readonly fn: (inputs: Inputs) => (Tensor | null)[], private readonly state: () => readonly Tensor[], private readonly patience = 0,
  ) {
    forgotten.register(this, this.graphs);
  }

  /** The caller disposes the results. */
  run(inputs: Inputs): (Tensor | null)[] {
    if (!('defineFunction' in backend().binding)) this.obstacle ??= 'TensorFlow\'s addon is of an earlier version: run `npm run setup`';
    const tensors: Tensor[] = [], key = this.obstacle ? undefined : this.describe(inputs, tensors);
    if (key === undefined) return this.fn(inputs);
    const known = this.graphs.get(key), seeds = known?.recording.draws.map(({ draw }) => draw());
    if (known) {
      this.graphs.delete(key); // to the end: the last one used
      this.graphs.set(key, known);
      return execute(known, tensors, this.state(), seeds!);
    }
    const runs = this.runs.get(key) ?? 0;
    if (runs < this.patience) {
      this.runs.set(key, runs + 1);
      return this.fn(inputs);
    }
    this.runs.delete(key);
    const state = this.state(), { result, recording } = Recording.of(tensors, state, () => this.fn(inputs));
    const graph = recording.obstacle ? undefined : define(recording, result);
    if (!graph) {
      this.obstacle = recording.obstacle;
      return result;
    }
    for (const tensor of result) tensor?.dispose();
    this.graphs.set(key, graph);
    if (this.graphs.size > KEPT) this.remove(this.graphs.keys().next().value!);
    return execute(graph, tensors, state, recording.draws.map(({ recorded }) => recorded));
  }

  /** Number of graphs. */
  get size(): number { return this.graphs.size; }

  /** Forgets all graphs. */
  dispose(): void { for (const key of [...this.graphs.keys()]) this.remove(key); }

  private remove(key: string): void {
    this.graphs.get(key)!.definition.users--;
    this.graphs.delete(key);
    removeUnused();
  }

  /** Names, kinds and shapes of all tensors, which are added to `tensors`; undefined where anything else is among the inputs. */
  private describe(inputs: object, tensors: Tensor[]): string | undefined {
    const parts: string[] = [];
    for (const [name, value] of Object.entries(inputs) as [string, unknown][]) {
      if (value === undefined) continue;
      if (value instanceof tf.Tensor) {
        tensors.push(value);
        parts.push(`${name}:${value.dtype}[${value.shape}]`);
        continue;
      }
      const inner = value !== null && typeof value === 'object' ? this.describe(value, tensors) : undefined;
      if (inner === undefined) {
        this.obstacle = `its input ${name} is no tensor`;
        return undefined;
      }
      parts.push(`${name}:{${inner}}`);
    }
    return parts.join(' ');
  }
}

/** The recorded function for TensorFlow; undefined where it has an obstacle. */
function define(recording: Recording, result: readonly (Tensor | null)[]): Graph | undefined {
  const outputs: number[] = [];
  const results = result.map((tensor) => (tensor ? outputs.push(recording.valueOf(tensor)) - 1 : undefined));
  if (recording.obstacle) return undefined;
  const definition = definitionOf(recording, outputs);
  recording.nodes.length = 0; // TensorFlow has them now
  return { definition, recording, results, outputs: outputs.length };
}

function definitionOf({ nodes, arguments: inputs }: Recording, outputs: readonly number[]): Definition {
  const hash = createHash('sha256').update(JSON.stringify([inputs, outputs]));
  for (const node of nodes) {
    hash.update(JSON.stringify({ ...node, data: undefined }));
    if ('data' in node) hash.update(new Uint8Array(node.data.buffer, node.data.byteOffset, node.data.byteLength));
  }
  const key = hash.digest('hex'), known = definitions.get(key);
  const definition = known ?? { name: `captioning_${process.pid}_${defined++}`, users: 0 };
  if (known) definitions.delete(key); // to the end
  else backend().binding.defineFunction(definition.name, nodes, inputs, outputs);
  definitions.set(key, definition);
  definition.users++;
  return definition;
}

/** Of those that nothing uses any more, the last ones stay for runs to come. */
function removeUnused(): void {
  const unused = [...definitions].filter(([, { users }]) => users === 0);
  for (const [key, { name }] of unused.slice(0, Math.max(0, unused.length - KEPT))) {
    backend().binding.removeFunction(name);
    definitions.delete(key);
  }
}

function execute(graph: Graph, inputs: Tensor[], state: readonly Tensor[], seeds: (readonly [number, number])[]): (Tensor | null)[] {
  const { definition: { name }, recording, results, outputs } = graph;
  const seedTensors: Tensor[] = [];
  const further = recording.further.map((one) => {
    if ('state' in one) return state[recording.usedState[one.state]];
    const tensor = tf.tensor1d([...seeds[one.draw]], 'int32');
    seedTensors.push(tensor);
    return tensor;
  });
  const { binding } = backend();
  try {
    const raw = binding.executeOp(name, [], backend().getInputTensorIds([...inputs, ...further]), outputs);
    return results.map((place) => (place === undefined ? null : backend().createOutputTensor(raw[place])));
  } finally {
    tf.dispose(seedTensors);
  }
}
