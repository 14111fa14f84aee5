import assert from 'node:assert/strict';
import { randomNormal, roundToBfloat16, tensorCount, tf, valueAndGradients, type Scalar } from '../../lib/engine';
import { hasBfloat16Instructions, narrow, widen } from '../../lib/engine/bfloat16';
import { nearestBfloat16 } from '../nearest-bfloat16';

/** Of numbers in [1, 2): the distance of two neighbours. */
const ULP = 2 ** -7;

describe('roundToBfloat16', () => {
  const cases: [string, number, number][] = [
    ['a value it has', 1.5, 1.5],
    ['zero', 0, 0],
    ['zero with its sign', -0, -0],
    ['just below the middle: down', 1 + ULP * 0.499, 1],
    ['just above the middle: up', 1 + ULP * 0.501, 1 + ULP],
    ['the middle above an even value: down', 1 + ULP * 0.5, 1],
    ['the middle above an odd value: up', 1 + ULP * 1.5, 1 + 2 * ULP],
    ['a negative middle: to the even one too', -(1 + ULP * 1.5), -(1 + 2 * ULP)],
    ['up into the next power of two', 2 - ULP / 4, 2],
    ['a whole number of more than 8 bits', 257, 256],
    ['its largest value', 3.3895313892515355e38, 3.3895313892515355e38],
    ['float32\'s largest value, beyond the middle above it', 3.4028234663852886e38, Infinity],
    ['a value far below float16\'s', 1e-30, nearestBfloat16(1e-30)],
    ['infinity', Infinity, Infinity],
    ['negative infinity', -Infinity, -Infinity],
    ['not a number', NaN, NaN],
    ['a NaN whose upper bits alone would be infinity', new Float32Array(Uint32Array.of(0x7f800001).buffer)[0], NaN],
  ];
  for (const [what, value, expected] of cases) {
    it(`rounds ${what}`, () => {
      const [rounded] = tf.tidy(() => roundToBfloat16(tf.tensor1d([value])).dataSync());
      assert.ok(Object.is(rounded, expected), `${value} became ${rounded}, expected ${expected}`);
    });
  }

  it('is the nearest value for a thousand normal ones; its gradient is rounded too', () => {
    const before = tensorCount(), x = randomNormal([10, 100], [3, 5]), weights = randomNormal([10, 100], [4, 5]);
    const { value, gradients: [gradient] } = valueAndGradients(() => tf.sum(tf.mul(roundToBfloat16(x), weights)) as Scalar, [x]);
    const rounded = roundToBfloat16(x);
    assert.deepEqual(rounded.dataSync(), Float32Array.from(x.dataSync(), nearestBfloat16));
    assert.deepEqual(gradient!.dataSync(), Float32Array.from(weights.dataSync(), nearestBfloat16));
    tf.dispose([x, weights, rounded, value, gradient!]);
    assert.equal(tensorCount(), before);
  });
});

describe('narrow and widen', () => {
  it('a narrow tensor is counted and disposed as any other, and no float32 op takes it', () => {
    const before = tensorCount();
    tf.tidy(() => {
      const short = narrow(tf.tensor2d([[1, 2], [3, 257]]));
      assert.deepEqual(short.shape, [2, 2]);
      assert.throws(() => tf.add(short, 1), /bfloat16/);
      assert.deepEqual(Array.from(widen(short).dataSync()), [1, 2, 3, 256]);
    });
    assert.equal(tensorCount(), before);
  });
});

describe('hasBfloat16Instructions', () => {
  it('knows AVX-512 BF16 and AMX by /proc/cpuinfo\'s flags, and nothing else', () => {
    assert.equal(hasBfloat16Instructions('flags\t\t: fpu avx512f avx512_bf16 clflush'), true);
    assert.equal(hasBfloat16Instructions('flags\t\t: amx_bf16 amx_tile amx_int8\n'), true);
    assert.equal(hasBfloat16Instructions('flags\t\t: fpu avx2 avx512f avx512_vnni amx_tile avx512_bf160'), false);
    assert.equal(hasBfloat16Instructions(''), false);
  });
});
