import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { captionerSize } from '../../lib/captioners';
import { CaptionDataset, loadScenes } from '../../lib/datasets';
import { Random, tensorCount, tf, valueAndGradients, type Tensor } from '../../lib/engine';
import {
  captionLatency, captionRecords, disposeDistillation, distill, DistilledStudent, furtherRows, knowledgeDistillation,
  prepareDistillation, reportedRows, splitForDistillation, TeacherLessons, teacherSentences, trainStudent, trainTeacher,
  type DistillationConfig, type DistillationRow, type DistillationSetup, type DistillationTeacher, type DistilledModelConfig,
} from '../../lib/experiments';
import { CaptionBatches } from '../../lib/training';
import { closeTo } from '../close-to';
import { fewScenes } from './few-scenes';

const { small } = knowledgeDistillation;
const tiny = ({ decoder, training, ...model }: DistilledModelConfig, hiddenSize: number): DistilledModelConfig =>
  ({ ...model, decoder: { ...decoder, hiddenSize, embedSize: 8, attentionSize: 8 }, training: { ...training, epochs: 1, batchSize: 32 } });
const config: DistillationConfig = {
  ...small,
  teacher: tiny(small.teacher, 16),
  student: tiny(small.student, 8),
  seeds: [1, 2],
  numBeams: 2,
};
const everyRow: readonly DistillationRow[] = Object.values({ ...reportedRows, ...furtherRows });

describe('splitForDistillation', () => {
  const dataset = loadScenes(), { teacherData, studentData } = splitForDistillation(dataset, small);
  const ids = (data: CaptionDataset, split: 'train' | 'val' | 'test') => data.split(split).records.map(({ id }) => id);

  it('gives teacher and students 2:1 of the training pictures, none to both, and all of them the same pictures to be scored on', () => {
    const [teachers, students] = [teacherData, studentData].map((data) => ids(data, 'train'));
    assert.deepEqual([teachers.length, students.length], [667, 333]);
    assert.deepEqual([...teachers, ...students].sort(), ids(dataset, 'train').sort());
    for (const split of ['val', 'test'] as const) {
      for (const data of [teacherData, studentData]) assert.deepEqual(ids(data, split), ids(dataset, split));
    }
  });

  it('depends on the seed alone', () => {
    assert.deepEqual(ids(splitForDistillation(dataset, small).studentData, 'train'), ids(studentData, 'train'));
    assert.notDeepEqual(ids(splitForDistillation(dataset, { ...small, splitSeed: 7 }).studentData, 'train'), ids(studentData, 'train'));
    assert.throws(() => splitForDistillation(dataset, { ...small, teacherShare: 1 }), /teacherShare is 1 of 1000 pictures/);
  });
});

describe('report 002, part II, on a part of Scenes', function suite() {
  this.timeout(120_000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distillation-'));
  const dataset = fewScenes(36, 6);
  let setup: DistillationSetup, teacher: DistillationTeacher, lessons: TeacherLessons;

  before(async () => {
    setup = await prepareDistillation(config, { dataset, folder });
    ({ captioner: teacher } = await trainTeacher(setup, { folder }));
    lessons = new TeacherLessons(setup, teacher);
  });
  after(() => {
    teacher.decoder.dispose();
    disposeDistillation(setup);
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const student = (row: DistillationRow, seed = 1) => DistilledStudent.build(setup, row, new Random(seed));
  const dispose = ({ captioner }: DistilledStudent) => { captioner.decoder.dispose(); captioner.encoder.dispose(); };

  it('trains every row, stops where it is told to, goes on from there, and repeats nothing that has ended', async () => {
    const before = tensorCount(), options = { rows: everyRow, folder, seeds: [1] };
    const stop = new AbortController(), first: string[] = [];
    const stopAfterTwo = ({ row }: { row: string }) => { if (first.push(row) === 2) stop.abort(); };
    const part = await distill(setup, lessons, { ...options, signal: stop.signal, onRun: stopAfterTwo });
    assert.deepEqual(part.map(({ row }) => row), ['baseline', 'both-5']);
    const steps = { first: 0, again: 0 };
    const all = await distill(setup, lessons, { ...options, onStep: () => { steps.first++; } });
    assert.deepEqual(all.slice(0, 2), part);
    assert.deepEqual(all.map(({ row }) => row), everyRow.map(({ key }) => key));
    const again = await distill(setup, lessons, { ...options, onStep: () => { steps.again++; } });
    assert.deepEqual(again, all);
    assert.deepEqual([steps.first, steps.again], [2 * (everyRow.length - 2), 0]);
    assert.equal(tensorCount(), before);

    // The rows differ, each in what it learnt from.
    const losses = all.map(({ valLoss }) => valLoss.at(-1)!);
    assert.equal(new Set(losses).size, everyRow.length, String(losses));
    assert.ok(losses.every((loss) => loss > 0 && loss < Math.log(setup.vocabulary.size) + 0.5), String(losses));
    const faster = { ...setup, config: { ...config, encoderRate: 0.5 } };
    const [other] = await distill(faster, lessons, { rows: [reportedRows.encoder], folder, seeds: [1] });
    assert.notDeepEqual(other.valLoss, all.find(({ row }) => row === 'encoder')!.valLoss);
  });

  it('is the same for the same seed', async () => {
    const options = { rows: [reportedRows.both10], seeds: [2] };
    const inFolder = (name: string) => distill(setup, lessons, { ...options, folder: path.join(folder, name) });
    assert.deepEqual(await inFolder('a'), await inFolder('b'));
  });

  it('starts from the features of the whole network, and captions pictures as it captions the features kept of them', async () => {
    const { student: trained } = await trainStudent(setup, lessons, reportedRows.encoder, 1, { folder });
    const fresh = student(reportedRows.baseline), test = setup.studentData.split('test'), before = tensorCount();
    const ids = test.records.map(({ id }) => id), { studentFeatures } = setup;
    const kept = tf.tensor(studentFeatures.read(ids), [ids.length, ...studentFeatures.shape]);
    const pixels = await fresh.captioner.encoder.processor.batch(test.images());
    const [whole, split, taught] = [fresh.captioner.encoder.encode(pixels), fresh.encode(kept), trained.encode(kept)];
    closeTo(split.dataSync(), whole.dataSync(), 1e-4);
    const distance = tf.tidy(() => tf.mean(tf.squaredDifference(taught, whole)).dataSync()[0]);
    assert.ok(distance > 1e-4, `fine-tuning moved the features by ${distance}`);
    tf.dispose([kept, whole, split, taught]);
    const fromFiles = await trained.captioner.caption(test.images()), fromFeatures = captionRecords(trained, test, studentFeatures);
    assert.deepEqual(fromFiles.map(({ text }) => text), fromFeatures.map(({ text }) => text));
    assert.equal(tensorCount(), before);
    [trained, fresh].forEach(dispose);
  });

  it('trains the last stage and the decoder, no earlier stage and no statistic; with a frozen encoder the decoder alone', async () => {
    for (const [row, mayChange] of [[reportedRows.both5, /^(encoder\.layer4\.|decoder\.)/], [furtherRows.frozen, /^decoder\./]] as const) {
      const [fresh, { student: trained }] = [student(row), await trainStudent(setup, lessons, row, 1, { folder })];
      const before = new Map(fresh.namedParameters());
      const same = (a: Tensor, b: Tensor) => tf.tidy(() => tf.all(tf.equal(a, b)).dataSync()[0]);
      const changed = [...trained.namedParameters()].filter(([name, { tensor }]) => !same(tensor, before.get(name)!.tensor));
      for (const [name, { isBuffer }] of changed) assert.ok(mayChange.test(name) && !isBuffer, `${row.key} changed ${name}`);
      assert.equal(changed.some(([name]) => name.startsWith('encoder.')), row === reportedRows.both5);
      [fresh, trained].forEach(dispose);
    }
  });

  it('sends the encoder\'s term to the encoder alone, the decoder\'s to both, and neither where β is 0', async () => {
    const touched = async (row: DistillationRow) => {
      const one = student(row).train(), batches = one.batches(lessons, 1);
      const batch = await batches.batch(batches.order(0), 0), before = tensorCount(), parameters = one.trainableParameters();
      const { value, gradients } = valueAndGradients(() => one.loss(batch), parameters.map(({ tensor }) => tensor));
      const moved = new Set(parameters.filter((_, i) => gradients[i] && tf.tidy(() => tf.max(tf.abs(gradients[i]!)).dataSync()[0] > 0)));
      const names = [...one.namedParameters()].filter(([, parameter]) => moved.has(parameter)).map(([name]) => name.split('.')[0]);
      tf.dispose([value, ...gradients.flatMap((g) => g ?? [])]);
      assert.equal(tensorCount(), before);
      tf.dispose(batch as never);
      dispose(one);
      return { parts: [...new Set(names)], batch: Object.keys(batch) };
    };
    const own = ['features', 'inputIds', 'labels'];
    assert.deepEqual(await touched({ ...reportedRows.encoder, beta: 1 }), { parts: ['encoder'], batch: [...own, 'teacherFeatures'] });
    const everything = ['encoder', 'decoder'], all = [...own, 'teacherFeatures', 'teacherLogits'];
    assert.deepEqual(await touched({ ...reportedRows.decoder, beta: 1 }), { parts: everything, batch: [...own, 'teacherLogits'] });
    assert.deepEqual(await touched({ ...reportedRows.both5, beta: 1 }), { parts: everything, batch: all });
    assert.deepEqual(await touched(reportedRows.baseline), { parts: ['encoder', 'decoder'], batch: own });
    assert.deepEqual(await touched(furtherRows.frozen), { parts: ['decoder'], batch: own });
  });

  it('hands every batch what the teacher says of its captions, and asks the teacher once', async () => {
    const before = tensorCount(), one = student(reportedRows.decoder), batches = one.batches(lessons, 1), order = batches.order(3);
    const { vocabulary, teacherFeatures } = setup, { size } = vocabulary, { batchSize, maxWords } = config.student.training;
    const dataset = setup.studentData.split('train');
    const teachers = new CaptionBatches({ dataset, features: teacherFeatures, vocabulary, batchSize, maxWords });
    const batch = await batches.batch(order, 1), { features, inputIds, labels } = teachers.batch(order, 1);
    const { logits, attention } = teacher.decoder.forward(features, inputIds);
    const [given, expected, counted] = [batch.teacherLogits!, logits, labels].map((tensor) => tensor.dataSync());
    for (let from = 0; from < given.length; from += size) {
      if (counted[from / size] >= 0) closeTo(given.subarray(from, from + size), expected.subarray(from, from + size), 1e-4);
    }
    assert.equal(await lessons.logits(reportedRows.both5), await lessons.logits(reportedRows.decoder));
    assert.equal(lessons.captions(furtherRows.sentences), lessons.captions(furtherRows.sentences));
    tf.dispose([...Object.values(batch), features, inputIds, labels, logits, attention]);
    dispose(one);
    assert.equal(tensorCount(), before);
  });

  it('refuses an encoder\'s term that could change nothing', () => {
    const before = tensorCount();
    const frozen = { ...reportedRows.both5, freezeEncoder: true };
    assert.throws(() => student(frozen), /"both terms, T 5".*encoder is frozen.*set fineTunedStages/);
    assert.equal(tensorCount(), before);
  });

  it('takes sentences out of the teacher\'s beams, one for each caption', () => {
    const training = setup.studentData.split('train'), { teacherFeatures } = setup;
    const sentences = teacherSentences(training, teacher, teacherFeatures, { numBeams: 3 });
    const counts = (data: CaptionDataset) => data.records.map(({ id, captions }) => [id, captions.length]);
    assert.deepEqual(counts(sentences), counts(training));
    const [{ id, captions }] = sentences.records, features = tf.tensor(teacherFeatures.read([id]), [1, ...teacherFeatures.shape]);
    const beams = teacher.captionBeams(features, { numBeams: 3 })[0].map(({ text }) => text);
    for (const caption of captions) assert.ok(beams.includes(caption), caption);
    features.dispose();
  });

  it('knows what each captioner costs', async () => {
    const one = student(reportedRows.baseline), sizes = [teacher, one.captioner].map(captionerSize);
    assert.equal(sizes[0].parameters, teacher.encoder.network.parameterCount() + teacher.decoder.parameterCount());
    assert.ok(sizes[1].parameters < sizes[0].parameters && sizes[1].megabytes > (4 * sizes[1].parameters) / 1e6, JSON.stringify(sizes));
    const times = await captionLatency([teacher, one.captioner], dataset.split('test').images().slice(0, 2));
    assert.ok(times.length === 2 && times.every((time) => time > 0), String(times));
    dispose(one);
  });
});

describe('knowledgeDistillation', () => {
  it('has the report\'s settings in full, and half the hidden size for students in both profiles', () => {
    const { teacher, student } = knowledgeDistillation.full;
    assert.deepEqual([teacher.checkpoint, teacher.decoder.hiddenSize, teacher.training.epochs], ['resnet101', 512, 9]);
    assert.deepEqual([student.checkpoint, student.decoder.hiddenSize, student.training.epochs], ['resnet50', 256, 2]);
    for (const profile of Object.values(knowledgeDistillation)) {
      assert.equal(profile.teacher.decoder.hiddenSize, 2 * profile.student.decoder.hiddenSize);
    }
    const rows = Object.values(reportedRows).slice(1);
    assert.deepEqual(rows.map(({ beta, temperature, encoderWeight, decoderWeight }) => [beta, temperature, encoderWeight, decoderWeight]),
      [[0.3, 5, 1, 1], [0.3, 10, 1, 1], [0.3, 20, 1, 1], [0.3, 1, 1, 0], [0.3, 20, 0, 1]]);
  });
});
