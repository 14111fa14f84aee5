import assert from 'node:assert/strict';
import { tensorCount, tf, type Scalar, type Tensor } from '../../lib/engine';
import { BertForSequenceClassification, toCamelCase, VisionEncoderDecoderModel } from '../../lib/models';
import { Parameter, type Module } from '../../lib/nn';
import { Adam, linearWithWarmup } from '../../lib/training';
import { Update } from '../../lib/training/update';
import { closeTo } from '../close-to';
import fixture from '../fixtures/training/adamw.json';
import { fillByFormula, formulaValues } from '../formula';
import { every, relativeTo } from '../relative-to';

interface Run {
  learningRate: number; weightDecay: number; maxGradNorm: number; warmup: number;
  losses: number[]; norms: number[]; rates: number[]; after: Record<string, number[]>;
}

/** The run of scripts/reference/adamw.py: losses, norms, learning rates of every step, and the weights at the end. */
function follow<M extends Module, B extends Record<string, Tensor>>(run: Run, build: () => M, batches: () => B[],
  forward: (model: M, batch: B) => { loss?: Tensor }): void {
  const before = tensorCount(), model = build();
  fillByFormula(model);
  model.train();
  const optimizer = new Adam(model.trainableParameters(), { learningRate: run.learningRate, weightDecay: run.weightDecay });
  const update = new Update<B>(optimizer, { loss: (batch) => tf.tidy(() => forward(model, batch).loss!) as Scalar, weight: () => 1,
    maxGradNorm: run.maxGradNorm });
  const schedule = linearWithWarmup(run.warmup), losses: number[] = [], norms: number[] = [], rates: number[] = [];
  for (const [i, batch] of batches().entries()) {
    optimizer.learningRate = run.learningRate * schedule(i, run.losses.length);
    rates.push(optimizer.learningRate);
    update.add(batch);
    const { loss, gradientNorm } = update.apply();
    losses.push(loss);
    norms.push(gradientNorm!);
    tf.dispose(batch as never);
  }
  closeTo(rates, run.rates, 1e-9, 'learning rates');
  closeTo(losses, run.losses, 1e-4, 'losses');
  relativeTo(norms, run.norms, 1e-4, 'norms of the gradients');
  assert.ok(run.norms.every((norm) => norm > run.maxGradNorm), 'clipping acts');
  const weights = new Map(model.namedParameters());
  for (const [name, values] of Object.entries(run.after)) relativeTo(every(weights.get(name)!.save(), 24), values, 1e-4, name);
  optimizer.dispose();
  model.dispose();
  assert.equal(tensorCount(), before);
}

const integers = (rows: number[][]): Tensor => tf.tensor2d(rows, undefined, 'int32');

describe('ten AdamW steps with warmup and clipping', () => {
  it('follow PyTorch\'s for a ViT–GPT-2', () => {
    const { encoder, decoder, labels } = fixture.captioner;
    const build = () => new VisionEncoderDecoderModel({ encoder: toCamelCase(encoder), decoder: toCamelCase(decoder),
      decoderStartTokenId: 1, padTokenId: 0 }, undefined, { pooler: true });
    const shape = [3, 3, 12, 12];
    follow(fixture.captioner as Run, build,
      () => labels.map((rows, i) => ({ pixelValues: tf.tensor(formulaValues(`pixels-${i}`, shape).map((v) => v * 3), shape),
        labels: integers(rows) })),
      (model, batch) => model.forward(batch));
  });

  it('follow PyTorch\'s for a BERT classifier', () => {
    const { config, ids, mask, labels } = fixture.classifier;
    const build = () => new BertForSequenceClassification(toCamelCase(config), 4);
    follow(fixture.classifier as Run, build,
      () => ids.map((rows, i) => ({ inputIds: integers(rows), attentionMask: integers(mask[i]),
        labels: tf.tensor1d(labels[i], 'int32') as Tensor })),
      (model, batch) => model.forward(batch));
  });
});

describe('Adam with a factor on a parameter\'s rate', () => {
  it('moves each parameter as an optimizer of that rate moves it, decay included', () => {
    const before = tensorCount();
    const run = (learningRate: number, factors?: readonly number[]) => {
      const parameters = ['a', 'b'].map((name) => new Parameter(tf.tensor(formulaValues(name, [3, 4]), [3, 4])));
      const rateFactor = factors && ((parameter: Parameter) => factors[parameters.indexOf(parameter)]);
      const optimizer = new Adam(parameters, { learningRate, weightDecay: 0.1, rateFactor });
      for (let step = 0; step < 3; step++) optimizer.step(parameters.map((_, i) => tf.tensor(formulaValues(`gradient.${i}.${step}`, [3, 4]), [3, 4])));
      const values = parameters.map((parameter) => [...parameter.save()]);
      optimizer.dispose();
      parameters.forEach((parameter) => parameter.dispose());
      return values;
    };
    const [slow, fast] = [run(1e-3), run(1e-2)];
    const mixed = run(1e-2, [1, 0.1]);
    closeTo(mixed[0], fast[0], 1e-7);
    closeTo(mixed[1], slow[1], 1e-7);
    assert.notDeepEqual(slow[0], fast[0]);
    assert.equal(tensorCount(), before);
  });
});
