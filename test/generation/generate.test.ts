import assert from 'node:assert/strict';
import { tensorCount, tf, type Tensor } from '../../lib/engine';
import { generate, generateAsync, mergeGenerationOptions, repeatRows, type GenerationOptions, type Prompt,
  type StepDecoder } from '../../lib/generation';
import { beamSearch } from '../../lib/generation/beam';
import { planGeneration } from '../../lib/generation/generation-plan';
import { closeTo } from '../close-to';
import { END, prompt, START, toy, VOCAB } from './toy-language';

/** Every sequence of up to `length` tokens that ends with END, or has the full length. */
function* sequences(length: number, prefix: number[] = []): Generator<number[]> {
  for (let token = 0; token < VOCAB; token++) {
    const tokens = [...prefix, token];
    if (token === END || tokens.length === length) yield tokens;
    else yield* sequences(length, tokens);
  }
}

const exhaustive = (decoder: ReturnType<typeof toy>, image: number, length: number, penalty: number) =>
  [...sequences(length)].map((tokens) => ({ tokens, score: decoder.logProbability(image, tokens) / tokens.length ** penalty }))
    .sort((a, b) => b.score - a.score);

const find = (decoder: StepDecoder, images: number, options: GenerationOptions) => generate(decoder, prompt(images), options).hypotheses;

describe('generate', () => {
  for (const lengthPenalty of [0, 1, 2]) {
    it(`with beams for everything finds the best of all sequences (length penalty ${lengthPenalty})`, () => {
      for (let seed = 1; seed <= 6; seed++) {
        const decoder = toy(2, seed);
        const found = find(decoder, 2, { numBeams: 200, maxNewTokens: 4, lengthPenalty, earlyStopping: 'never' });
        for (const image of [0, 1]) {
          const best = exhaustive(decoder, image, 4, lengthPenalty).slice(0, 5);
          assert.deepEqual(found[image].slice(0, 5).map((h) => h.tokens), best.map((h) => h.tokens), `seed ${seed}, image ${image}`);
          closeTo(found[image].slice(0, 5).map((h) => h.score), best.map((h) => h.score), 1e-5);
        }
      }
    });
  }

  it('with one beam is greedy search', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const decoder = toy(3, seed), search = beamSearch(planGeneration(decoder, prompt(3), { maxNewTokens: 6 }));
      let step = search.next();
      while (!step.done) step = search.next();
      const beams = step.value.hypotheses.flat(), greedy = find(decoder, 3, { maxNewTokens: 6 }).flat();
      assert.deepEqual(beams.map((h) => h.tokens), greedy.map((h) => h.tokens));
      closeTo(beams.map((h) => h.logProbability), greedy.map((h) => h.logProbability), 1e-5);
    }
  });

  it('scores each hypothesis by its own tokens and keeps each token\'s attention', () => {
    const decoder = toy(2, 3);
    for (const [image, beams] of find(decoder, 2, { numBeams: 4, maxNewTokens: 7 }).entries()) {
      for (const { tokens, logProbability, score, attention } of beams) {
        closeTo([logProbability], [decoder.logProbability(image, tokens)], 1e-5);
        closeTo([score], [logProbability / tokens.length], 1e-6);
        // The toy's attention at a step is the token before it.
        assert.deepEqual(attention!.map((a) => a[0]), [START, ...tokens.slice(0, -1)]);
        assert.ok(tokens.indexOf(END) === -1 ? tokens.length === 7 : tokens.indexOf(END) === tokens.length - 1);
      }
      assert.deepEqual(beams.map((h) => h.score), beams.map((h) => h.score).sort((a, b) => b - a));
    }
  });

  it('treats each image alone: the batch gives what one image at a time gives', () => {
    for (const options of [{}, { numBeams: 3 }, { numBeams: 4, numBeamGroups: 2, diversityPenalty: 0.5 },
      { repetitionPenalty: 1.3, numBeams: 2 }]) {
      const both = find(toy(2, 9), 2, { ...options, maxNewTokens: 6 }), first = find({ ...toy(2, 9), ...alone(toy(2, 9)) }, 1,
        { ...options, maxNewTokens: 6 });
      assert.deepEqual(both[0].map((h) => h.tokens), first[0].map((h) => h.tokens));
    }
  });

  it('goes on from a prompt: feeds its last token first, and returns it in front', () => {
    const given = [[3, 2, START], [2, 3, START]], decoder = toy(2, 4, [2, 3]);
    const { sequences: rows, hypotheses } = generate(decoder, { ...prompt(2), promptIds: given },
      { numBeams: 2, maxNewTokens: 5, numReturnSequences: 2 });
    assert.equal(rows.length, 4);
    for (const [r, row] of rows.entries()) {
      const image = Math.floor(r / 2), { tokens, logProbability } = hypotheses[image][r % 2];
      assert.deepEqual(row, [...given[image], ...tokens, ...new Array(row.length - 3 - tokens.length).fill(4)]);
      closeTo([logProbability], [decoder.logProbability(image, tokens)], 1e-5);
    }
    assert.ok(rows.every((row) => row.length === rows[0].length));
  });

  it('never generates suppressed tokens', () => {
    const decoder = toy(2, 5), options: GenerationOptions = { maxNewTokens: 8, suppressTokens: [2, END] };
    for (const { tokens } of [...find(decoder, 2, { ...options, numBeams: 3 }).flat(), ...find(decoder, 2, options).flat(),
      ...find(decoder, 2, { ...options, doSample: true }).flat()]) {
      assert.ok(tokens.length === 8 && !tokens.includes(2) && !tokens.includes(END), String(tokens));
    }
  });

  it('gives the same asynchronously, and stops when told to', async () => {
    const before = tensorCount();
    for (const options of [{}, { doSample: true, seed: 3 }, { numBeams: 3 }, { numBeams: 4, numBeamGroups: 2, diversityPenalty: 1 }]) {
      assert.deepEqual(await generateAsync(toy(2, 7), prompt(2), options), generate(toy(2, 7), prompt(2), options));
      const controller = new AbortController();
      setImmediate(() => setImmediate(() => controller.abort(new Error('enough'))));
      await assert.rejects(generateAsync(toy(2, 7), prompt(2), { ...options, suppressTokens: [END], maxNewTokens: 500 },
        controller.signal), /enough/);
    }
    assert.equal(tensorCount(), before);
  });

  it('leaves no tensor behind, also when the decoder throws or gives NaN', () => {
    const decoder = toy(2, 5), before = tensorCount();
    for (const options of [{}, { numBeams: 3 }, { numBeams: 4, numBeamGroups: 2, diversityPenalty: 1 }, { doSample: true },
      { numBeams: 3, doSample: true }] as GenerationOptions[]) {
      find(decoder, 2, { ...options, maxNewTokens: 5, suppressTokens: [3] });
      let calls = 0;
      const failing: StepDecoder = {
        ...decoder, step: (last, state) => { if (++calls > 2) throw new Error('broken'); return decoder.step(last, state); },
      };
      assert.throws(() => find(failing, 2, { ...options, suppressTokens: [END] }), /broken/);
      const wrong: StepDecoder = {
        ...decoder, step: (last, state) => ({ logits: tf.fill([last.length, VOCAB], NaN), state: state.map((t) => tf.clone(t)) }),
      };
      assert.throws(() => find(wrong, 2, options), /NaN/);
      const narrow: StepDecoder = { ...decoder, vocabSize: VOCAB + 1 };
      assert.throws(() => find(narrow, 2, options), /logits have the shape \[\d+,5\]: expected \[\d+, 6\]/);
    }
    assert.equal(tensorCount(), before);
  });

  const refused: [GenerationOptions, Partial<Prompt>, RegExp][] = [
    [{ numBeams: 0 }, {}, /numBeams is 0/], [{ numBeams: 1.5 }, {}, /numBeams is 1\.5/], [{ temperature: 0, doSample: true }, {},
      /temperature is 0/],
    [{ topP: 1.5, doSample: true }, {}, /topP is 1\.5/], [{ earlyStopping: 'always' as never }, {}, /earlyStopping is "always"/],
    [{ num_beams: 3 } as never, {}, /no option.*num_beams.*numBeams/], [{ suppressTokens: [0, -1] }, {}, /suppressTokens\.1 is -1/],
    [{ maxNewTokens: 3, maxLength: 4 }, {}, /maxNewTokens and maxLength/], [{ maxNewTokens: 3, minNewTokens: 4 }, {}, /minNewTokens is 4/],
    [{ maxLength: 5, minLength: 6 }, {}, /minLength is 6/], [{ minLength: 30 }, {},
      /minLength 30 is more than the longest text allowed, 21/],
    [{ temperature: 0.5 }, {}, /temperature is 0\.5, but nothing is drawn/], [{ numBeams: 4, numBeamGroups: 3, diversityPenalty: 1 }, {},
      /does not divide/],
    [{ numBeams: 4, numBeamGroups: 2 }, {}, /needs a diversityPenalty/], [{ diversityPenalty: 1, numBeams: 2 }, {}, /give numBeamGroups/],
    [{ numBeams: 4, numBeamGroups: 2, diversityPenalty: 1, doSample: true }, {}, /groups of beams cannot draw/],
    [{ numBeams: 2, numReturnSequences: 3 }, {}, /there are 2 beams/], [{ numReturnSequences: 2 }, {},
      /numReturnSequences is 2, but one sequence/],
    [{ forcedEosTokenId: 1, suppressTokens: [1] }, {}, /id 1 is forced and in suppressTokens/],
      [{ suppressTokens: [VOCAB] }, {}, /suppressTokens names id 5/],
    [{ forcedBosTokenId: 9 }, {}, /forcedBosTokenId names id 9/], [{ maxLength: 1 }, {}, /maxLength is 1 and the prompt has 1/],
    [{}, { promptIds: [] }, /promptIds is empty/], [{}, { promptIds: [[0], []] }, /Row 1 of promptIds is empty/],
    [{}, { promptIds: [[0, 1], [0]] }, /Row 1 of promptIds has 1 tokens, row 0 has 2/], [{}, { promptIds: [[0.5]] },
      /Row 0 of promptIds holds 0\.5/],
    [{}, { padding: [1] }, /padding is \[1\]/], [{}, { eosTokenId: 7 }, /eosTokenId names id 7/],
      [{}, { padTokenId: -1 }, /padTokenId is -1/],
  ];
  for (const [options, changed, message] of refused) {
    it(`refuses ${JSON.stringify({ ...options, ...changed })}`, () => {
      assert.throws(() => generate(toy(1, 1), { ...prompt(1), ...changed }, options), message);
    });
  }

  it('refuses texts longer than the decoder has positions for, and stays within them by itself', () => {
    const decoder = { ...toy(1, 2), maxPositions: 6 }, endless = { ...prompt(1), eosTokenId: null };
    assert.throws(() => generate(decoder, endless, { maxNewTokens: 7 }),
      /up to 8 tokens \(1 of the prompt\).*6 positions: lower maxNewTokens/);
    assert.throws(() => generate(decoder, { ...endless, promptIds: [new Array(7).fill(0)] }), /prompt has 7 tokens, the model 6 positions/);
    assert.equal(generate(decoder, endless).sequences[0].length, 6);
    assert.equal(generate(decoder, endless, { maxNewTokens: 6 }).sequences[0].length, 7);
  });
});

describe('mergeGenerationOptions', () => {
  it('lets a call replace the model\'s defaults, and drops defaults that would contradict it', () => {
    const defaults: GenerationOptions = { maxLength: 30, minLength: 5, doSample: true, temperature: 0.7, numBeams: 4,
      numReturnSequences: 4 };
    assert.deepEqual(mergeGenerationOptions(defaults, { maxNewTokens: 9, doSample: false, numBeams: 1, minNewTokens: undefined }),
      { maxNewTokens: 9, minLength: 5, doSample: false, numBeams: 1 });
    assert.deepEqual(mergeGenerationOptions(defaults), defaults);
  });
});

describe('repeatRows', () => {
  it('repeats each row beside itself', () => {
    const given = tf.tensor3d([1, 2, 3, 4], [2, 1, 2]), repeated = repeatRows(given, 2);
    assert.deepEqual(repeated.shape, [4, 1, 2]);
    assert.deepEqual(Array.from(repeated.dataSync()), [1, 2, 1, 2, 3, 4, 3, 4]);
    tf.dispose([given, repeated]);
  });
});

/** The first image of a toy of two, by itself. */
function alone(decoder: StepDecoder): Pick<StepDecoder, 'start' | 'step'> {
  const doubled = (t: Tensor) => tf.concat([t, t], 0);
  return {
    start: (count, beams) => [tf.fill([count * beams, 1], START)],
    step: (last, [before]) => {
      const [pair] = [doubled(before)], both = decoder.step(Int32Array.of(...last, ...last), [pair]);
      const half = (t: Tensor) => tf.slice(t, [0, 0], [last.length, t.shape[1]!]);
      return { logits: half(both.logits), state: both.state.map(half), attention: half(both.attention!) };
    },
  };
}
