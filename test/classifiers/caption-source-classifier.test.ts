import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { CaptionSourceClassifier, reportFormat } from '../../lib/classifiers';
import type { CaptionSourceRow } from '../../lib/datasets';
import { Random, tensorCount, tf } from '../../lib/engine';
import { BertForMaskedLM, BertForSequenceClassification, save } from '../../lib/models';
import { Tokenizer } from '../../lib/tokenizers';
import { TextBatches } from '../../lib/training';
import { closeTo } from '../close-to';

const tokenizer = Tokenizer.fromPretrained(path.join(__dirname, '../fixtures/tokenizers/word-piece'));
const config = {
  vocabSize: tokenizer.vocabularySize, hiddenSize: 16, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 24,
  maxPositionEmbeddings: 64,
};
const format = { ...reportFormat, maxLength: 48 };
const build = (): CaptionSourceClassifier =>
  new CaptionSourceClassifier(new BertForSequenceClassification(config, 2, new Random(3)), tokenizer, undefined, format);
const row = (change: Partial<CaptionSourceRow> = {}): CaptionSourceRow => ({
  originalCaption: 'Two dogs run.', generatedCaption: 'a dog on the grass', occlusionLevel: 50, sourceModel: 'Custom',
  imageFilename: 'a.jpg', ...change,
});
const rows = Array.from({ length: 9 }, (_, i) =>
  row({ generatedCaption: 'a dog '.repeat((i * 5) % 7) + 'on grass', occlusionLevel: [0, 10, 50, 80][i % 4] }));

describe('CaptionSourceClassifier', () => {
  let folder: string;
  beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sources-')); });
  afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });

  it('reads original caption, generated caption and level, or a part of them', () => {
    const classifier = build();
    const text = (fields: typeof reportFormat.fields): string => {
      const one = new CaptionSourceClassifier(classifier.model, tokenizer, undefined, { ...format, fields });
      return tokenizer.decode(one.encode(row()).inputIds);
    };
    const whole = tokenizer.encode('Two dogs run. [SEP] a dog on the grass [SEP] 50').inputIds;
    assert.deepEqual(classifier.encode(row()).inputIds, whole);
    assert.equal(text(['original', 'generated']), tokenizer.decode(tokenizer.encode('Two dogs run. [SEP] a dog on the grass').inputIds));
    assert.equal(text(['generated']), tokenizer.decode(tokenizer.encode('a dog on the grass').inputIds));
    assert.equal(classifier.encode(row({ generatedCaption: 'dog '.repeat(99) })).inputIds.length, 48);
    assert.deepEqual([classifier.labelOf(row({ sourceModel: 'SmolVLM' })), classifier.labelOf(row())], [0, 1]);
    assert.throws(() => classifier.labelOf(row({ sourceModel: 'BLIP' })), /a\.jpg is of BLIP: expected one of SmolVLM, Custom/);
    classifier.dispose();
  });

  it('gives each row what it gives the row alone, whatever else is in the batch', async () => {
    const classifier = build();
    const before = tensorCount();
    const together = await classifier.predict(rows, { batchSize: 4 });
    for (const [i, one] of rows.entries()) {
      const [alone] = await classifier.predict([one]);
      closeTo(together[i].logits, alone.logits, 1e-5);
      closeTo([together[i].probabilities[0] + together[i].probabilities[1]], [1], 1e-9);
      assert.equal(together[i].source, ['SmolVLM', 'Custom'][together[i].label]);
      assert.equal(together[i].label, together[i].probabilities[0] >= together[i].probabilities[1] ? 0 : 1);
    }
    assert.equal(tensorCount(), before);
    const stopped = AbortSignal.abort();
    await assert.rejects(classifier.predict(rows, { signal: stopped }), /abort/i);
    classifier.dispose();
  });

  it('saves a folder that classifies alike after loading, format and names of the sources included', async () => {
    const classifier = new CaptionSourceClassifier(build().model, tokenizer, ['left', 'right'], { fields: ['generated'], maxLength: 20 });
    classifier.save(folder);
    const loaded = CaptionSourceClassifier.load(folder);
    assert.deepEqual([loaded.sources, loaded.format], [['left', 'right'], { fields: ['generated'], maxLength: 20 }]);
    assert.deepEqual(await loaded.predict(rows), await classifier.predict(rows));
    const json = path.join(folder, 'config.json'), saved = JSON.parse(fs.readFileSync(json, 'utf8'));
    assert.deepEqual([saved.architectures, saved.id2label], [['BertForSequenceClassification'], { 0: 'left', 1: 'right' }]);
    fs.writeFileSync(json, JSON.stringify({ ...saved, task_specific_params: undefined }));
    const before = tensorCount();
    assert.throws(() => CaptionSourceClassifier.load(folder), /config\.json: task_specific_params: .*expected a caption-source classifier/);
    assert.equal(tensorCount(), before);
    loaded.dispose();
    classifier.dispose();
  });

  it('starts from a language model: its layers are taken over, the head is new and depends on the seed', () => {
    const language = new BertForMaskedLM(config, new Random(8));
    save(folder, { model: language, tokenizer });
    const make = (seed: number) => CaptionSourceClassifier.fromPretrained(folder, { format, random: new Random(seed) });
    const [a, b, c] = [make(1), make(1), make(2)];
    const layer = (one: { bert: BertForMaskedLM['bert'] }) => one.bert.encoder.layer[1].output.dense.weight.save();
    assert.deepEqual(layer(a.model), layer(language));
    assert.deepEqual(a.model.classifier.weight.save(), b.model.classifier.weight.save());
    assert.notDeepEqual(a.model.classifier.weight.save(), c.model.classifier.weight.save());
    for (const one of [a, b, c, language]) one.dispose();
  });

  it('refuses parts that do not fit together', () => {
    const { model } = build();
    const three = ['a', 'b', 'c'];
    assert.throws(() => new CaptionSourceClassifier(model, tokenizer, three, format), /has 2 classes, but there are 3 sources: a, b, c/);
    assert.throws(() => new CaptionSourceClassifier(model, tokenizer), /maxLength is 128, but the network has 64 positions/);
    assert.throws(() => new CaptionSourceClassifier(model, tokenizer, undefined, { ...format, fields: [] }), /no fields/);
    const small = new BertForSequenceClassification({ ...config, vocabSize: 20 }, 2);
    assert.throws(() => new CaptionSourceClassifier(small, tokenizer, undefined, format), /pieces, the network 20/);
    small.dispose();
    model.dispose();
  });
});

describe('TextBatches', () => {
  const ids = (i: number): number[] => Array.from({ length: i + 1 }, (_, j) => 10 * i + j + 5);
  const examples = Array.from({ length: 7 }, (_, i) => ({ inputIds: ids(i), label: i % 2 }));
  const batches = new TextBatches(examples, { batchSize: 3, padId: 9, seed: 4 });

  it('pads to the longest of the batch, rounded up to fours, and masks what is padding', () => {
    const { inputIds, attentionMask, labels } = batches.batch(Uint32Array.of(0, 1, 2, 3, 4, 5, 6), 0);
    assert.deepEqual(inputIds.arraySync(), [[5, 9, 9, 9], [15, 16, 9, 9], [25, 26, 27, 9]]);
    assert.deepEqual(attentionMask.arraySync(), [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]]);
    assert.deepEqual([labels.arraySync(), labels.dtype], [[0, 1, 0], 'int32']);
    tf.dispose([inputIds, attentionMask, labels]);
  });

  it('has every text once an epoch, in an order of the seed and the epoch', () => {
    assert.equal(batches.stepsPerEpoch, 3);
    assert.deepEqual([...batches.order(0)].sort(), [0, 1, 2, 3, 4, 5, 6]);
    assert.deepEqual(batches.order(2), batches.order(2));
    assert.notDeepEqual(batches.order(0), batches.order(1));
    const last = batches.batch(batches.order(0), 2);
    assert.equal(last.labels.size, 1);
    tf.dispose(last as never);
    assert.throws(() => new TextBatches([], { batchSize: 3, padId: 0, seed: 1 }), /no texts to train on/);
  });
});
