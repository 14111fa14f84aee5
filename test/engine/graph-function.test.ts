import assert from 'node:assert/strict';
import {
  backend, crossEntropy, gatherRows, GraphFunction, matMul, nativeOp, Random, randomNormal, randomUniform, ResourceVariable, tensorCount, tf, valueAndGradients,
  withPrecision, type Scalar, type Tensor, type Tensor1D, type Tensor2D,
} from '../../lib/engine';
import { closeTo } from '../close-to';

interface Pair { x: Tensor; y: Tensor }

const values = (tensors: readonly (Tensor | null)[]): number[][] => tensors.map((tensor) => (tensor ? [...tensor.dataSync()] : []));
const drawn = (shape: number[], seed: number): Tensor => randomNormal(shape, [seed, 0]);

describe('GraphFunction', () => {
  it('gives what the function gives, for every set of shapes, and leaves no tensors', () => {
    const weight = drawn([3, 4], 1);
    const fn = ({ x, y }: Pair): Tensor[] => tf.tidy(() => {
      const product = matMul(x, weight);
      return [tf.relu(tf.add(product, tf.concat([y, y], 1))), tf.stack([tf.sum(product, 1), tf.scalar(2).mul(tf.sum(y, 1))]), tf.zeros([2]), x.clone()];
    });
    const graph = new GraphFunction<Pair>(fn, () => [weight]), before = tensorCount();
    for (const [i, rows] of [2, 5, 2, 5, 2].entries()) {
      const pair = { x: drawn([rows, 3], 10 + i), y: drawn([rows, 2], 20 + i) }, results = graph.run(pair), expected = fn(pair);
      assert.deepEqual(results.map((tensor) => tensor!.shape), expected.map(({ shape }) => shape));
      for (const [j, row] of values(results).entries()) closeTo(row, [...expected[j].dataSync()], 1e-6);
      tf.dispose([pair.x, pair.y, results as never, expected]);
    }
    assert.deepEqual([graph.size, graph.obstacle, tensorCount()], [2, undefined, before]);
    graph.dispose();
    weight.dispose();
  });

  it('runs the function once for a set of shapes, and reads its state anew every time', () => {
    let weight = tf.scalar(2), runs = 0;
    const graph = new GraphFunction<{ x: Tensor }>(({ x }) => { runs++; return [tf.mul(x, weight)]; }, () => [weight]);
    const run = (...x: number[]): number[] => {
      const given = tf.tensor1d(x), [result] = graph.run({ x: given }), all = [...result!.dataSync()];
      tf.dispose([given, result!]);
      return all;
    };
    assert.deepEqual([run(1, 2), run(3, 4)], [[2, 4], [6, 8]]);
    weight.dispose();
    weight = tf.scalar(10);
    assert.deepEqual([run(5, 6), run(7), run(8)], [[50, 60], [70], [80]]);
    assert.equal(runs, 2);
    graph.dispose();
    weight.dispose();
  });

  it('computes losses and gradients; a parameter that the loss does not touch has none', () => {
    const [table, bias, aside] = [drawn([7, 5], 1), drawn([5], 2), drawn([2], 3)];
    const run = ({ x, y }: Pair): (Tensor | null)[] => {
      const { value, gradients } = valueAndGradients(() => {
        const logits = tf.add(gatherRows(table, x), bias);
        return crossEntropy(logits as Tensor2D, y as Tensor1D) as Scalar;
      }, [table, bias, aside]);
      return [value, ...gradients];
    };
    for (const precision of ['float32', 'bfloat16'] as const) {
      const fn = (pair: Pair) => withPrecision(precision, () => run(pair)), graph = new GraphFunction<Pair>(fn, () => [table, bias, aside]);
      for (const seed of [1, 2]) {
        const random = new Random(seed), ids = (n: number) => tf.tensor1d(Array.from({ length: 6 }, () => random.integer(n)), 'int32');
        const pair = { x: ids(7), y: ids(5) }, ours = graph.run(pair), theirs = fn(pair);
        assert.equal(ours[3], null);
        for (const [i, row] of values(ours).entries()) closeTo(row, values(theirs)[i], 1e-6);
        tf.dispose([pair.x, pair.y, ...ours, ...theirs] as never);
      }
      assert.equal(graph.obstacle, undefined);
      graph.dispose();
    }
    tf.dispose([table, bias, aside]);
  });

  it('draws randomness anew in every run, as the function does, and as often', () => {
    const fnOf = (random: Random) => ({ x }: { x: Tensor }): Tensor[] => tf.tidy(() => [
      tf.add(x, randomUniform(x.shape, () => random.seedPair())), randomNormal([3], () => random.seedPair())]);
    const [a, b] = [new Random(4), new Random(4)], graph = new GraphFunction(fnOf(a), () => []), plain = fnOf(b), x = tf.zeros([2]);
    const seen = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const ours = graph.run({ x }), theirs = plain({ x });
      assert.deepEqual(values(ours), values(theirs));
      seen.add(String(values(ours)));
      tf.dispose([...ours, ...theirs] as never);
    }
    assert.equal(seen.size, 4);
    assert.deepEqual(a.save(), b.save());
    graph.dispose();
    x.dispose();
  });

  it('says why something cannot be a graph, and runs it as it is', () => {
    const elsewhere = tf.scalar(3), variable = new ResourceVariable(elsewhere), x = tf.tensor1d([1, 2]);
    const cases: [(inputs: { x: Tensor }) => Tensor[], RegExp, number[]][] = [
      [(inputs) => [tf.mul(inputs.x, inputs.x.dataSync()[0])], /reads values/, [1, 2]],
      [(inputs) => [tf.mul(inputs.x, elsewhere)], /neither an input nor of its state/, [3, 6]],
      [(inputs) => tf.tidy(() => [tf.mul(inputs.x, nativeOp('ReadVariableOp', { dtype: { dtype: 'float32' } }, [variable.handle])[0])]), /ReadVariableOp|neither/, [3, 6]],
      [() => [elsewhere.clone()], /returns a tensor that it did not compute/, [3]],
    ];
    for (const [fn, obstacle, expected] of cases) {
      const graph = new GraphFunction(fn, () => []);
      for (let i = 0; i < 2; i++) {
        const [result] = graph.run({ x });
        assert.deepEqual([...result!.dataSync()], expected);
        result!.dispose();
      }
      assert.match(graph.obstacle!, obstacle);
      assert.equal(graph.size, 0);
    }
    const graph = new GraphFunction<{ x: Tensor; names: string[] }>((inputs) => [tf.neg(inputs.x)], () => []);
    graph.run({ x, names: ['a'] })[0]!.dispose();
    assert.match(graph.obstacle!, /input .* is no tensor/);
    variable.dispose();
    tf.dispose([elsewhere, x]);
  });

  it('that do the same share what TensorFlow made of them, also after one is gone; others do not', () => {
    const { binding } = backend(), names: string[] = [], define = binding.defineFunction;
    (tf.backend() as unknown as { binding: object }).binding = Object.create(binding, {
      defineFunction: { value: (name: string, ...rest: [never, never, never]) => { names.push(name); define(name, ...rest); } },
    });
    const x = tf.tensor1d([1, 2, 3]), results: number[][] = [];
    for (const factor of [0.5, 0.5, 0.25, 0.5]) {
      const weight = tf.scalar(10 * (results.length + 1)), graph = new GraphFunction<{ x: Tensor }>((given) =>
        tf.tidy(() => [tf.mul(tf.add(given.x, weight), factor)]), () => [weight]);
      for (let run = 0; run < 2; run++) {
        const [result] = graph.run({ x });
        results.push([...result!.dataSync()]);
        result!.dispose();
      }
      graph.dispose();
      weight.dispose();
    }
    (tf.backend() as unknown as { binding: object }).binding = binding;
    x.dispose();
    assert.deepEqual(results, [1, 3, 5, 7].flatMap((n, i) => {
      const row = [1, 2, 3].map((value) => (value + 10 * n) * [0.5, 0.5, 0.25, 0.5][i]);
      return [row, row];
    }));
    assert.equal(names.length, 2);
  });

  it('an error in the function is thrown, and the next run records anew', () => {
    let fails = true;
    const x = tf.tensor1d([1]), before = tensorCount();
    const graph = new GraphFunction<{ x: Tensor }>((inputs) => { if (fails) throw new Error('not yet'); return [tf.neg(inputs.x)]; }, () => []);
    assert.throws(() => graph.run({ x }), /not yet/);
    fails = false;
    const [result] = graph.run({ x });
    assert.deepEqual([...result!.dataSync()], [-1]);
    result!.dispose();
    assert.deepEqual([graph.size, tensorCount()], [1, before]);
    graph.dispose();
    x.dispose();
  });

  it('keeps the graphs of the shapes that were last used', () => {
    let runs = 0;
    const graph = new GraphFunction<{ x: Tensor }>(({ x }) => { runs++; return [tf.neg(x)]; }, () => []);
    const run = (size: number): void => {
      const x = tf.zeros([size]), [result] = graph.run({ x });
      tf.dispose([x, result!]);
    };
    for (let size = 1; size <= 70; size++) run(size);
    assert.deepEqual([runs, graph.size], [70, 64]);
    run(70);
    assert.equal(runs, 70, 'kept');
    run(1);
    assert.equal(runs, 71, 'had gone');
    graph.dispose();
    assert.equal(graph.size, 0);
  });
});
