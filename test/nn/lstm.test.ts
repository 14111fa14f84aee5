import assert from 'node:assert/strict';
import { Random, tensorCount, tf, valueAndGradients, type Scalar, type Tensor } from '../../lib/engine';
import { Lstm, LstmCell } from '../../lib/nn';
import { fillByFormula, formulaValues } from '../formula';
import { every, relativeTo } from '../relative-to';
import fixture from '../fixtures/nn/lstm.json';

type Case = Omit<typeof fixture.lstm[number], 'gradients'> & { gradients: Record<string, number[]> };
const cases = fixture.lstm as unknown as Case[];

const byFormula = (name: string, shape: number[], scale = 1): Tensor => tf.tensor(formulaValues(name, shape).map((v) => v * scale), shape);

function build({ inputSize, hiddenSize, numLayers, batch, steps, withState }: Case) {
  const model = new Lstm(inputSize, hiddenSize, new Random(0), { numLayers });
  fillByFormula(model);
  const input = byFormula('input', [batch, steps, inputSize], 3);
  const layers = (what: string) => Array.from({ length: numLayers }, (_, layer) => byFormula(`${what}.${layer}`, [batch, hiddenSize]));
  return { model, input, state: withState ? { hidden: layers('hidden'), cell: layers('cell') } : undefined };
}

describe('Lstm', () => {
  for (const expected of cases) {
    const { numLayers, batch, steps, inputSize, hiddenSize, withState } = expected;
    it(`equals PyTorch's, gradients too: ${numLayers} layers, ${batch}×${steps}×${inputSize} → ${hiddenSize}${withState ? ' from a state' : ''}`, () => {
      const before = tensorCount();
      const { model, input, state } = build(expected);
      assert.deepEqual([...model.namedParameters()].map(([name]) => name), expected.names);
      const inputs: Record<string, Tensor> = { input };
      for (const [name, parameter] of model.namedParameters()) inputs[name] = parameter.tensor;
      for (const what of ['hidden', 'cell'] as const) for (const [i, tensor] of (state?.[what] ?? []).entries()) inputs[`${what}.${i}`] = tensor;

      const outputs = model.forward(input, state);
      const stacked = tf.tidy(() => ({ output: outputs.output, hidden: tf.stack(outputs.hidden), cell: tf.stack(outputs.cell) }));
      for (const what of ['output', 'hidden', 'cell'] as const) relativeTo(every(stacked[what].dataSync(), 200), expected[what], 1e-5, what);
      tf.dispose([stacked, outputs] as never);

      const names = Object.keys(expected.gradients);
      assert.deepEqual(names.sort(), Object.keys(inputs).sort());
      const { value, gradients } = valueAndGradients(() => tf.tidy(() => {
        const { output, hidden, cell } = model.forward(input, state);
        return tf.addN([output, tf.stack(hidden), tf.stack(cell)].map((y, i) => tf.sum(tf.mul(y, byFormula(`d${['output', 'hidden', 'cell'][i]}`, y.shape)))));
      }) as Scalar, names.map((name) => inputs[name]));
      relativeTo(value.dataSync(), [expected.loss], 1e-4, 'loss');
      for (const [i, name] of names.entries()) relativeTo(every(gradients[i]!.dataSync(), 100), expected.gradients[name], 1e-5, `gradient of ${name}`);
      tf.dispose([value, input, ...gradients as Tensor[], ...Object.values(state ?? {}).flat()]);
      model.dispose();
      assert.equal(tensorCount(), before);
    });

    it(`gives the same step by step: ${numLayers} layers, ${steps} steps`, () => {
      const before = tensorCount();
      const { model, input, state } = build(expected);
      const whole = model.forward(input, state);
      let now = state ?? model.initialState(batch);
      const outputs: Tensor[] = [];
      for (const x of tf.unstack(input, 1)) {
        const { output, ...next } = model.step(x, now);
        outputs.push(output);
        tf.dispose([x, now] as never);
        now = next;
      }
      const stepped = tf.stack(outputs, 1);
      relativeTo(stepped.dataSync(), whole.output.dataSync(), 1e-6, 'output');
      for (const what of ['hidden', 'cell'] as const) {
        for (const layer of whole[what].keys()) relativeTo(now[what][layer].dataSync(), whole[what][layer].dataSync(), 1e-6, `${what} ${layer}`);
      }
      tf.dispose([input, stepped, ...outputs, whole, now] as never);
      model.dispose();
      assert.equal(tensorCount(), before);
    });
  }

  it('drops out between layers in training only', () => {
    const model = new Lstm(4, 6, new Random(3), { numLayers: 2, dropout: 0.5 }), x = byFormula('input', [2, 5, 4]);
    const run = () => tf.tidy(() => model.forward(x).output.dataSync());
    const [a, b] = [run(), run()];
    assert.deepEqual(a, b);
    model.train();
    const [c, d] = [run(), run()];
    assert.notDeepEqual(a, c);
    assert.notDeepEqual(c, d);
    const single = new Lstm(4, 6, new Random(3), { dropout: 0.5 }).train() as Lstm;
    const once = () => tf.tidy(() => single.forward(x).output.dataSync());
    assert.deepEqual(once(), once());
    x.dispose();
    model.dispose();
    single.dispose();
  });

  it('refuses inputs and states of other shapes, and leaves nothing behind', () => {
    const model = new Lstm(4, 6, new Random(3), { numLayers: 2 });
    const before = tensorCount();
    const [wide, none, right] = [tf.zeros([2, 5, 3]), tf.zeros([2, 0, 4]), tf.zeros([2, 5, 4])];
    const state = model.initialState(3);
    assert.throws(() => model.forward(wide), /input has the shape \[2,5,3\], expected \[2, 5, 4\]/);
    assert.throws(() => model.forward(none), /no steps/);
    assert.throws(() => model.forward(right, state), /hidden\[0\] has the shape \[3,6\], expected \[2, 6\]/);
    assert.throws(() => model.forward(right, { ...state, hidden: [] }), /hidden has 0 tensors for 2 layers/);
    assert.throws(() => new Lstm(4, 6, new Random(0), { numLayers: 0 }), /0 layers/);
    tf.dispose([wide, none, right, state] as never);
    assert.equal(tensorCount(), before);
    model.dispose();
  });
});

describe('LstmCell', () => {
  it('equals PyTorch\'s', () => {
    const before = tensorCount();
    const cell = new LstmCell(5, 7, new Random(0));
    fillByFormula(cell);
    const [x, hidden, memory] = [byFormula('input', [3, 5]), byFormula('hidden', [3, 7]), byFormula('cell', [3, 7])];
    const next = cell.forward(x, { hidden, cell: memory });
    relativeTo(next.hidden.dataSync(), fixture.cell.hidden, 1e-6);
    relativeTo(next.cell.dataSync(), fixture.cell.cell, 1e-6);
    assert.throws(() => cell.forward(x, { hidden: x, cell: memory }), /hidden has the shape \[3,5\], expected \[3, 7\]/);
    tf.dispose([x, hidden, memory, next.hidden, next.cell]);
    cell.dispose();
    assert.equal(tensorCount(), before);
  });
});
