import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as captioning from '../../lib/index';
import { tensorCount, tf, type Tensor } from '../../lib/engine';
import { disposeFixed, type Call } from './fixed-tensors';
import { functionCalls } from './function-calls';
import { moduleCalls } from './module-calls';
import { tensorNames } from './public-names';

/** The tensors in a result, each once. */
function tensorsIn(value: unknown, found = new Set<Tensor>()): Set<Tensor> {
  if (value instanceof tf.Tensor) found.add(value);
  else if (Array.isArray(value)) for (const each of value) tensorsIn(each, found);
  else if (value && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) tensorsIn(Object.values(value), found);
  return found;
}

/** Disposes what holds tensors: by its own method, or each of its entries. */
function release(subject: unknown): void {
  if (!subject || typeof subject !== 'object') return;
  if ('dispose' in subject) (subject as { dispose(): void }).dispose();
  else for (const each of Object.values(subject)) release(each);
}

/** New tensors of the result, of those that are there. */
async function newTensors(call: () => unknown): Promise<Tensor[]> {
  const mark = tf.scalar(0), { id } = mark;
  mark.dispose();
  return [...tensorsIn(await call())].filter((tensor) => tensor.id > id);
}

async function check({ make, run, fails }: Call, name: string): Promise<void> {
  const before = tensorCount(), subject = make?.() as never;
  try {
    tf.dispose(await newTensors(() => run(subject))); // what is given and kept is made at the first call
    const there = tensorCount(), made = await newTensors(() => run(subject));
    assert.equal(tensorCount() - there, made.length, `${name} leaves tensors beside its result`);
    tf.dispose(made);
    if (!fails) return;
    await assert.rejects(async () => fails(subject), `${name} was to throw`);
    const after = tensorCount();
    await assert.rejects(async () => fails(subject), `${name} was to throw`);
    assert.equal(tensorCount(), after, `${name} leaves tensors when it throws`);
  } finally {
    const held = tensorCount();
    release(subject);
    if (make) assert.ok(tensorCount() < held || held === before, `${name} is disposed`);
  }
}

/** Names that other calls lead to. */
const through: Readonly<Record<string, readonly string[]>> = {
  GPT2LMHeadModel: ['cachedStepDecoder', 'prepareTextGeneration', 'generateOnce', 'streamOnce', 'streamTokens'],
  BlipForConditionalGeneration: ['BlipStepDecoder', 'blipPrompt'], ResNet: ['ConvolutionalNetwork'], LlamaForCausalLM: ['llamaHead'],
  LstmDecoder: ['imageStepDecoder'],
  load: ['buildToFit'], loadCaptioner: ['SmolVLMCaptioner', 'keptCaptioner'],
  trainStudent: ['DistillationBatches', 'buildDistilled'], buildVitGpt2: ['joinVitGpt2'],
};
/** Names of files that reach TensorFlow, which themselves do without. */
const tensorless = [
  'DivergedError', 'captionerFolder', 'partAModels', 'rankByCider', 'readProcessor', 'savedPrompt', 'scoreLength', 'splitSources',
  'vitGpt2StepsPerEpoch',
];

describe('public functions and methods', () => {
  const calls: Record<string, Call> = { ...functionCalls(), ...moduleCalls() };
  after(disposeFixed);

  for (const [name, call] of Object.entries(calls)) {
    it(`${name} leaves no tensor but its result, and none when it throws`, () => check(call, name));
  }

  it('are all called here, or counted in a test of their own', () => {
    const folder = path.join(__dirname, '..');
    const tests = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /^(?!memory).*\.test\.ts$/.test(file));
    const counting = tests.map((file) => fs.readFileSync(path.join(folder, file), 'utf8')).filter((text) => text.includes('tensorCount()'));
    const isCounted = (name: string): boolean => name in calls || counting.some((text) => new RegExp(`\\b${name}\\b`).test(text));
    const names = tensorNames(captioning), led = Object.entries(through).flatMap(([name, others]) => (isCounted(name) ? others : []));
    const uncounted = names.filter((name) => !isCounted(name) && !led.includes(name) && !tensorless.includes(name));
    assert.ok(names.length > 180, `${names.length} names reach TensorFlow`);
    assert.deepEqual(uncounted, [], 'add a call to test/memory, or count tensors in the test');
    const gone = [...Object.keys(calls), ...led, ...tensorless].filter((name) => !(name in captioning));
    assert.deepEqual(gone, [], 'names that are not public any more');
  });
});
