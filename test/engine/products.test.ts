import assert from 'node:assert/strict';
import {
  currentPrecision, GraphFunction, hasOwnKernels, inPrecision, matMul, nativeOp, randomUniform, repeatedProduct, tensorCount, tf,
  valueAndGradients, withPrecision, type Scalar, type Tensor,
} from '../../lib/engine';
import { bfloat16MatMul, emulatedProduct, nativeProduct } from '../../lib/engine/products';
import { nearestBfloat16 } from '../nearest-bfloat16';
import { relativeTo } from '../relative-to';

/** Whole numbers of up to 9 bits, which bfloat16 rounds; sums of some products of theirs are exact in float32 in any order. */
const whole = (shape: number[], seed: number): Tensor => tf.tidy(() => tf.round(tf.mul(randomUniform(shape, [seed, 1]), 500)));
const rounded = (x: Tensor): Tensor => tf.tensor(Float32Array.from(x.dataSync(), nearestBfloat16), x.shape);
const flips = [[false, false], [false, true], [true, false], [true, true]] as const;
const shapes = (batch: number[], transposeA: boolean, transposeB: boolean): [number[], number[]] =>
  [[...batch, ...(transposeA ? [7, 3] : [3, 7])], [...batch, ...(transposeB ? [5, 7] : [7, 5])]];

describe('matMul', () => {
  for (const batch of [[], [2], [2, 3]]) for (const [transposeA, transposeB] of flips) {
    const which = `for ${batch.join('×') || 'single'} matrices, transposed: ${transposeA}, ${transposeB}`;

    it(`in bfloat16 rounds factors and sums once, ${which}`, () => {
      const before = tensorCount();
      tf.tidy(() => {
        const [a, b] = shapes(batch, transposeA, transposeB).map((shape, i) => whole(shape, i + 1)), dy = whole([...batch, 3, 5], 3);
        const loss = (product: Tensor, weights: Tensor) => tf.sum(tf.mul(product, weights)) as Scalar;
        const scoped = () => withPrecision('bfloat16', () => matMul(a, b, transposeA, transposeB));
        const { gradients } = valueAndGradients(() => loss(scoped(), dy), [a, b]);
        const [ra, rb, rdy] = [a, b, dy].map(rounded);
        const exact = valueAndGradients(() => loss(matMul(ra, rb, transposeA, transposeB), rdy), [ra, rb]).gradients;
        const y = scoped();
        assert.deepEqual(y.shape, [...batch, 3, 5]);
        assert.deepEqual(y.dataSync(), rounded(matMul(ra, rb, transposeA, transposeB)).dataSync());
        assert.notDeepEqual(y.dataSync(), matMul(a, b, transposeA, transposeB).dataSync(), 'float32 has other digits');
        for (const [i, gradient] of gradients.entries()) {
          assert.deepEqual(gradient!.shape, [a, b][i].shape);
          assert.deepEqual(gradient!.dataSync(), rounded(exact[i]!).dataSync(), `gradient ${i}`);
        }
      });
      assert.equal(tensorCount(), before);
    });

    it(`by TensorFlow's bfloat16 kernel is near it, ${which}`, () => {
      const before = tensorCount();
      tf.tidy(() => {
        const [a, b] = shapes(batch, transposeA, transposeB).map((shape, i) => tf.sub(randomUniform(shape, [i, 2]), 0.5));
        const [native, emulated] = [nativeProduct, emulatedProduct].map((product) => {
          const loss = () => tf.sum(tf.square(bfloat16MatMul(a, b, transposeA, transposeB, product))) as Scalar;
          const { value, gradients } = valueAndGradients(loss, [a, b]);
          return [value, ...gradients] as Tensor[];
        });
        // On processors without instructions for it the kernel rounds partial sums: some of its last bits are wrong.
        for (const [i, tensor] of native.entries()) relativeTo(tensor.dataSync(), emulated[i].dataSync(), 0.03, `result ${i}`);
      });
      assert.equal(tensorCount(), before);
    });
  }

  it('is TensorFlow.js\' own outside of a scope and in one of float32', () => {
    tf.tidy(() => {
      const a = randomUniform([4, 6], [1, 1]), b = randomUniform([6, 2], [2, 1]);
      const expected = tf.matMul(a as never, b as never).dataSync();
      assert.deepEqual(matMul(a, b).dataSync(), expected);
      assert.deepEqual(withPrecision('bfloat16', () => withPrecision('float32', () => matMul(a, b))).dataSync(), expected);
    });
  });

  for (const rows of [1, 2, 3, 5, 8, 9]) for (const transposed of [false, true]) {
    it(`multiplies ${rows} rows with a large matrix${transposed ? ', transposed,' : ''} as TensorFlow does, with its gradients`, () => {
      const before = tensorCount(), threads = process.env.TF_NUM_INTRAOP_THREADS;
      try {
        // Neither side a multiple of what is done at once; small whole numbers, whose sums have one result in any order.
        for (const [k, m] of [[301, 1301], [1031, 67], [2003, 4001]]) for (const count of ['1', '3']) {
          process.env.TF_NUM_INTRAOP_THREADS = count;
          tf.tidy(() => {
            const small = (shape: number[], seed: number): Tensor => tf.round(tf.mul(tf.sub(randomUniform(shape, [seed, 1]), 0.5), 8));
            const a = small([rows, k], 1), b = small(transposed ? [m, k] : [k, m], 2), dy = small([rows, m], 3);
            const plain = (): Tensor => tf.matMul(a as never, b as never, false, transposed);
            const [own, theirs] = [() => matMul(a, b, false, transposed), plain].map((product) => {
              const { gradients } = valueAndGradients(() => tf.sum(tf.mul(product(), dy)) as Scalar, [a, b]);
              return [product(), ...gradients];
            });
            for (const [i, tensor] of theirs.entries()) {
              assert.deepEqual(own[i]!.shape, tensor!.shape);
              assert.equal(tf.max(tf.abs(tf.sub(own[i]!, tensor!))).dataSync()[0], 0, `result ${i} of ${k} × ${m}, ${count} threads`);
            }
          });
        }
      } finally {
        if (threads === undefined) delete process.env.TF_NUM_INTRAOP_THREADS;
        else process.env.TF_NUM_INTRAOP_THREADS = threads;
      }
      assert.equal(tensorCount(), before);
    });
  }

  it('of few rows is the addon\'s in graphs, too', function fewRowsInGraphs() {
    if (!hasOwnKernels()) this.skip();
    const before = tensorCount(), [a, b] = [randomUniform([2, 300], [1, 1]), randomUniform([300, 300], [2, 1])];
    const graph = new GraphFunction(({ a }: { a: Tensor }) => tf.tidy(() => [tf.relu(matMul(matMul(a, b), b, false, true))]), () => [b]);
    const [first, second] = [1, 2].map(() => graph.run({ a })[0]!), plain = tf.tidy(() => tf.relu(matMul(matMul(a, b), b, false, true)));
    assert.deepEqual([first, second, plain].map(({ shape }) => shape), [[2, 300], [2, 300], [2, 300]]);
    for (const one of [first, second]) assert.deepEqual(one.dataSync(), plain.dataSync());
    assert.equal(graph.obstacle, undefined);
    assert.throws(() => nativeOp('CaptioningFewRows', {}, [a, plain]), /different sizes/);
    graph.dispose();
    tf.dispose([a, b, first, second, plain]);
    assert.equal(tensorCount(), before);
  });

  it('refuses shapes that do not fit, and leaves no tensor and no scope', () => {
    const before = tensorCount();
    const [a, b, stack, row] = [whole([3, 4], 1), whole([5, 4], 2), whole([2, 4, 3], 3), tf.tensor1d([1])];
    for (const precision of ['float32', 'bfloat16'] as const) {
      const loss = (x: Tensor, y: Tensor) => tf.tidy(() => withPrecision(precision, () => tf.sum(matMul(x, y)) as Scalar));
      const product = (x: Tensor, y: Tensor) => () => valueAndGradients(() => loss(x, y), [x]);
      assert.throws(product(a, b), /incompatible/);
      assert.throws(product(a, stack), /\[3,4\] and \[2,4,3\]/);
      assert.throws(product(row, row), /expected matrices/);
    }
    assert.equal(currentPrecision(), 'float32');
    tf.dispose([a, b, stack, row]);
    assert.equal(tensorCount(), before);
  });

  it('lets go of what it kept for the way back when the forward pass throws later', () => {
    const before = tensorCount(), a = whole([3, 3], 1);
    const broken = () => withPrecision('bfloat16', () => tf.tidy((): Scalar => { matMul(matMul(a, a), a); throw new Error('later'); }));
    assert.throws(() => valueAndGradients(broken, [a]), /later/);
    a.dispose();
    assert.equal(tensorCount(), before);
  });
});

describe('repeatedProduct', () => {
  for (const columns of [6, 512, 1024]) {
    it(`is matMul's for a matrix of ${columns} columns, in either precision`, () => {
      const before = tensorCount();
      tf.tidy(() => {
        const matrix = whole([5, columns], 1), byMatrix = repeatedProduct(matrix);
        for (const rows of [whole([3, 5], 2), whole([1, 5], 3)]) {
          for (const precision of ['float32', 'bfloat16'] as const) {
            const [product, expected] = withPrecision(precision, () => [byMatrix(rows), matMul(rows, matrix)]);
            assert.deepEqual(product.shape, expected.shape);
            assert.deepEqual(product.dataSync(), expected.dataSync(), precision);
          }
        }
      });
      assert.equal(tensorCount(), before);
    });
  }
});

describe('inPrecision', () => {
  it('rounds the factors of a convolution, its result and its gradients', () => {
    const before = tensorCount();
    tf.tidy(() => {
      const x = whole([2, 5, 5, 2], 1), kernel = whole([2, 2, 2, 3], 2), dy = whole([2, 4, 4, 3], 3);
      const convolution = (x: Tensor, kernel: Tensor): Tensor => tf.conv2d(x as never, kernel as never, 1, 'valid') as Tensor;
      const scoped = () => withPrecision('bfloat16', () => inPrecision([x, kernel], convolution));
      const { gradients } = valueAndGradients(() => tf.sum(tf.mul(scoped(), dy)) as Scalar, [x, kernel]);
      const [rx, rk, rdy] = [x, kernel, dy].map(rounded);
      const exact = valueAndGradients(() => tf.sum(tf.mul(convolution(rx, rk), rdy)) as Scalar, [rx, rk]).gradients;
      assert.deepEqual(scoped().dataSync(), rounded(convolution(rx, rk)).dataSync());
      for (const i of [0, 1]) assert.deepEqual(gradients[i]!.dataSync(), rounded(exact[i]!).dataSync(), `gradient ${i}`);
      assert.deepEqual(inPrecision([x, kernel], convolution).dataSync(), convolution(x, kernel).dataSync(), 'float32 outside');
    });
    assert.equal(tensorCount(), before);
  });
});
