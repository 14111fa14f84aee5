import assert from 'node:assert/strict';
import { tensorCount, tf, type Tensor } from '../../lib/engine';
import type { GenerationConfig, GenerationResult } from '../../lib/generation';
import { GPT2LMHeadModel, type GPT2Config } from '../../lib/models';
import { closeTo } from '../close-to';
import fixture from '../fixtures/generation/gpt2.json';
import diverse from '../fixtures/generation/diverse-beam.json';
import { fillByFormula } from '../formula';

interface Case { prompt?: 'prompts' | 'short'; options: Record<string, unknown>; sequences: number[][]; scores: number[] | null }
const PAD = 15;

const camelCase = <T>(options: object): T =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), value])) as T;

function build(): GPT2LMHeadModel {
  const model = new GPT2LMHeadModel(camelCase<Partial<GPT2Config>>(fixture.config));
  fillByFormula(model);
  const { weight } = model.transformer.ln_f;
  weight.assign(tf.mul(weight.tensor, 1.6));
  return model;
}

function run(model: GPT2LMHeadModel, prompts: number[][], options: GenerationConfig): GenerationResult {
  const [inputIds, attentionMask] = tf.tidy(() => {
    const ids = tf.tensor2d(prompts, undefined, 'int32');
    return [ids, tf.cast(tf.notEqual(ids, PAD), 'int32')];
  });
  try { return model.generate({ inputIds, attentionMask }, options); } finally { tf.dispose([inputIds, attentionMask] as Tensor[]); }
}

function compare(model: GPT2LMHeadModel, prompts: number[][], { options, sequences, scores }: Case): void {
  const before = tensorCount(), result = run(model, prompts, camelCase(options)), what = JSON.stringify(options);
  assert.deepEqual(result.sequences, sequences, what);
  if (scores) closeTo(result.sequencesScores, scores, 1e-4, what);
  assert.equal(tensorCount(), before, what);
}

describe('GPT2LMHeadModel.generate', () => {
  let model: GPT2LMHeadModel;
  before(() => { model = build(); });
  after(() => model.dispose());

  const cases = fixture.cases as Case[];
  for (const beams of [...new Set(cases.map(({ options }) => options.num_beams as number))]) {
    for (const prompt of ['prompts', 'short'] as const) {
      const own = cases.filter((c) => c.prompt === prompt && c.options.num_beams === beams);
      it(`gives transformers' sequences and scores, ${beams} beam${beams > 1 ? 's' : ''}, ${prompt === 'short' ? 'one start token' : 'left-padded'} (${own.length} cases)`, () => {
        for (const one of own) compare(model, fixture[prompt], one);
      });
    }
  }

  it(`gives the sequences and scores of transformers 4 with groups of beams (${diverse.cases.length} cases)`, () => {
    for (const one of diverse.cases as Case[]) compare(model, diverse.prompts, one);
  });

  it('chooses what it would choose without cached keys', () => {
    for (const options of [{ maxNewTokens: 8 }, { maxNewTokens: 8, numBeams: 3 }]) {
      for (const [row, ids] of run(model, fixture.prompts, { ...options, padTokenId: PAD }).sequences.entries()) {
        const words = ids.filter((id, i) => i >= 6 || fixture.prompts[row][i] !== PAD);
        const alone = run(model, [ids.slice(0, 6).filter((id) => id !== PAD)], { ...options, padTokenId: PAD });
        assert.deepEqual(alone.sequences[0], words);
        if (options.numBeams) continue;
        const inputIds = tf.tensor2d([words], undefined, 'int32'), { logits, lastHiddenState } = model.forward({ inputIds });
        const best = (tf.tidy(() => tf.argMax(logits, 2)) as Tensor).dataSync();
        assert.deepEqual(Array.from(best.slice(words.length - 9, -1)), words.slice(-8));
        tf.dispose([inputIds, logits, lastHiddenState]);
      }
    }
  });

  it('reads the prompt once a text, however many beams there are', () => {
    // A model of its own: one that has taken many steps runs them as graphs.
    const fresh = build(), shapes: number[][] = [], { forward } = fresh;
    fresh.forward = (inputs) => { shapes.push(inputs.inputIds.shape); return forward.call(fresh, inputs); };
    run(fresh, fixture.prompts, { numBeams: 3, maxNewTokens: 3 });
    fresh.dispose();
    assert.deepEqual(shapes, [[4, 5], [12, 1], [12, 1], [12, 1]]);
  });

  it('infers padding as transformers does, and takes only left padding', () => {
    const inputIds = tf.tensor2d(fixture.prompts, undefined, 'int32'), options = { maxNewTokens: 5, numBeams: 3, padTokenId: PAD,
      eosTokenId: 26 };
    assert.deepEqual(model.generate({ inputIds }, options), run(model, fixture.prompts, options));
    const right = tf.tensor2d([[1, 1, 1, 1, 1, 0], ...new Array(3).fill([1, 1, 1, 1, 1, 1])], undefined, 'int32');
    assert.throws(() => model.generate({ inputIds, attentionMask: right }, options), /Row 0 of the attention mask has padding after words/);
    const none = tf.zeros([4, 6], 'int32'), short = tf.zeros([4, 5], 'int32');
    assert.throws(() => model.generate({ inputIds, attentionMask: none }, options), /Row 0 of the attention mask is all padding/);
    assert.throws(() => model.generate({ inputIds, attentionMask: short }, options),
      /attentionMask has the shape \[4,5\], inputIds \[4,6\]/);
    assert.throws(() => model.generate({ inputIds }, { ...options, maxNewTokens: 36 }),
      /up to 42 tokens \(6 of the prompt\).*40 positions/);
    tf.dispose([inputIds, right, none, short]);
  });

  it('gives each token\'s attention to the text so far', () => {
    const inputIds = tf.tensor2d([[7, 11, 2]], undefined, 'int32');
    const { hypotheses: [[{ attention }]], sequences: [ids] } = model.generate({ inputIds, outputAttentions: true }, { maxNewTokens: 4 });
    const all = tf.tensor2d([ids], undefined, 'int32'), whole = model.forward({ inputIds: all, outputAttentions: true });
    for (const [t, weights] of attention!.entries()) {
      const length = 3 + t; // the step that chose token t read `length` tokens
      const expected = whole.attentions!.flatMap((layer) => (layer.arraySync() as number[][][][])[0].flatMap((head) =>
        head[length - 1].slice(0, length)));
      closeTo(weights, expected, 1e-5);
    }
    tf.dispose([inputIds, all, whole] as never);
  });

  it('streams the tokens of greedy search and of sampling, stops when told to, and leaves no tensor behind', async () => {
    const inputIds = tf.tensor2d(fixture.short, undefined, 'int32'), before = tensorCount();
    for (const options of [{ maxNewTokens: 9 }, { maxNewTokens: 9, doSample: true, seed: 4, topP: 0.9 }]) {
      const streamed: (number | null)[][] = [];
      let turns = 0;
      const timer = setInterval(() => { turns++; }, 0);
      const stream = model.stream({ inputIds }, { ...options, eosTokenId: 26 });
      let step = await stream.next();
      while (!step.done) {
        streamed.push(step.value);
        await new Promise((resolve) => { setTimeout(resolve, 1); });
        step = await stream.next();
      }
      clearInterval(timer);
      const whole = model.generate({ inputIds }, { ...options, eosTokenId: 26 });
      assert.deepEqual(step.value, whole);
      for (const [row, [{ tokens }]] of whole.hypotheses.entries()) {
        assert.deepEqual(streamed.map((step) => step[row]).filter((token) => token !== null), tokens);
      }
      assert.ok(turns > 0, 'other work had its turn');
    }
    let count = 0;
    for await (const tokens of model.stream({ inputIds }, { maxNewTokens: 30 })) {
      assert.equal(tokens.length, 3);
      if (++count === 2) break;
    }
    assert.equal(tensorCount(), before);
    const controller = new AbortController();
    count = 0;
    for await (const _ of model.stream({ inputIds }, { maxNewTokens: 30 }, controller.signal)) if (++count === 3) controller.abort();
    assert.equal(count, 3);
    assert.equal(tensorCount(), before);
    await assert.rejects(model.stream({ inputIds }, { numBeams: 2 }).next(), /cannot be streamed/);
    assert.equal(tensorCount(), before);
    inputIds.dispose();
  });
});
