/** A student of report 002, part II: its network's last stages and its decoder learn from captions and from a teacher. */
import {
  ImageEncoder, type AttentionLstmDecoder, type Caption, type CaptionBatch, type CaptionOptions, type FeatureCaptioner,
} from '../captioners';
import { tf, type Random, type Scalar, type Tensor, type Tensor1D, type Tensor2D, type Tensor4D } from '../engine';
import { ResNet } from '../models';
import { Module, type Parameter } from '../nn';
import {
  CaptionBatches, distillationLoss, featureDistillation, wordDistillation, type BatchSource, type CaptionBatchesOptions,
} from '../training';
import { buildDistilled, type DistillationRow, type DistillationSetup } from './knowledge-distillation';
import type { TeacherLessons } from './teacher-lessons';

/** What a student trains on: its captions and, as far as the row asks, the teacher's view of the same pictures. */
export interface DistillationBatch extends CaptionBatch {
  /** (B, L, F): the teacher's features, the aim of the encoder's term. */
  teacherFeatures?: Tensor;
  /** (B, T, vocabulary): what the teacher says would come next, the aim of the decoder's term. */
  teacherLogits?: Tensor;
}

/** Batches of a row's captions with the features of the student's frozen stages, and what the teacher says of them. */
export class DistillationBatches implements BatchSource<DistillationBatch> {
  private readonly own: CaptionBatches;
  /** The same captions in the same order beside the teacher's features. */
  private readonly teachers: CaptionBatches;

  constructor(private readonly setup: DistillationSetup, private readonly lessons: TeacherLessons, private readonly row: DistillationRow,
    private readonly options: Omit<CaptionBatchesOptions, 'features' | 'dataset'>) {
    const all = { ...options, dataset: lessons.captions(row) };
    this.own = new CaptionBatches({ ...all, features: setup.studentFeatures });
    this.teachers = new CaptionBatches({ ...all, features: setup.teacherFeatures });
  }

  get stepsPerEpoch(): number { return this.own.stepsPerEpoch; }
  order(epoch: number): Uint32Array { return this.own.order(epoch); }

  async batch(order: Uint32Array, index: number): Promise<DistillationBatch> {
    const { beta, encoderWeight, decoderWeight } = this.row, { batchSize } = this.options, { size } = this.setup.vocabulary;
    const logits = beta * decoderWeight > 0 ? await this.lessons.logits(this.row) : undefined;
    const batch: DistillationBatch = this.own.batch(order, index), [rows, steps] = batch.labels.shape;
    if (beta * encoderWeight > 0) {
      const { features, ...others } = this.teachers.batch(order, index);
      tf.dispose(Object.values(others));
      batch.teacherFeatures = features;
    }
    if (logits) {
      const padded = new Float32Array(rows * steps * size);
      order.subarray(index * batchSize, (index + 1) * batchSize).forEach((caption, row) => padded.set(logits[caption], row * steps * size));
      batch.teacherLogits = tf.tensor(padded, [rows, steps, size]);
    }
    return batch;
  }
}

export class DistilledStudent extends Module {
  readonly encoder: ResNet;
  readonly decoder: AttentionLstmDecoder;
  private readonly encoderParameters: ReadonlySet<Parameter>;

  /**
   * @param captioner the student as a captioner of pictures; training changes its weights
   * @param setup whose `studentTrunk` gave the features that the student starts from
   */
  constructor(readonly captioner: FeatureCaptioner<AttentionLstmDecoder>, private readonly setup: DistillationSetup,
    private readonly row: DistillationRow) {
    super();
    const { encoder: { network }, decoder } = captioner, { fineTunedStages } = setup.config;
    if (!(network instanceof ResNet)) throw new Error(`The student's encoder is a ${network.constructor.name}: expected a ResNet.`);
    this.encoder = network;
    this.decoder = decoder;
    this.encoderParameters = new Set(network.parameters());
    const trained = row.freezeEncoder ? 0 : fineTunedStages;
    if (trained === 0 && row.beta * row.encoderWeight > 0) {
      throw new Error(`"${row.name}" weighs the encoder's term, but the encoder is frozen and the term would change nothing: `
        + 'set fineTunedStages to 1 or more, or encoderWeight to 0.');
    }
    for (const block of network.stages.slice(4 - trained).flat()) block.unfreeze();
  }

  /** A new student: the published encoder, a decoder drawn from `random`, which also draws its dropout. */
  static build(setup: DistillationSetup, row: DistillationRow, random: Random): DistilledStudent {
    const { checkpoint, processor } = setup.config.student, encoder = ImageEncoder.load(checkpoint, { processor });
    const captioner = buildDistilled('student', setup, encoder, random);
    try {
      return new DistilledStudent(captioner, setup, row);
    } catch (error) {
      captioner.decoder.dispose();
      encoder.dispose();
      throw error;
    }
  }

  /** Batch norms keep the statistics they came with: a fine-tuned stage sees too few pictures for better ones. */
  override train(mode = true): this {
    super.train(mode);
    this.encoder.eval();
    return this;
  }

  /** For the optimizer: the encoder's learning rate. */
  readonly rateFactor = (parameter: Parameter): number => (this.encoderParameters.has(parameter) ? this.setup.config.encoderRate : 1);

  /** Features of the frozen stages, (B, positions, channels) → the encoder's, (B, L, F). */
  encode(features: Tensor): Tensor {
    const { config: { fineTunedStages }, studentTrunk: { grid: [rows, columns] } } = this.setup;
    return tf.tidy(() => {
      const map = this.encoder.mapFrom(tf.reshape(features, [features.shape[0], rows, columns, -1]) as Tensor4D, 4 - fineTunedStages);
      return tf.reshape(map, [map.shape[0], -1, map.shape[3]]);
    });
  }

  loss({ teacherFeatures, teacherLogits, ...batch }: DistillationBatch): Scalar {
    const { vocabSize } = this.decoder.config;
    return tf.tidy(() => {
      const features = this.encode(batch.features), { loss, logits } = this.decoder.losses({ ...batch, features });
      const rows = (tensor: Tensor) => tf.reshape(tensor, [-1, vocabSize]) as Tensor2D, labels = tf.reshape(batch.labels, [-1]) as Tensor1D;
      return distillationLoss({
        task: () => loss,
        encoder: () => featureDistillation(features, teacherFeatures!),
        decoder: () => wordDistillation(rows(logits), rows(teacherLogits!), labels, this.row.temperature),
      }, this.row);
    });
  }

  /** Cross entropy per word of a batch, which compares rows whatever they learn from. */
  wordLoss(batch: CaptionBatch): Scalar {
    return tf.tidy(() => this.decoder.losses({ ...batch, features: this.encode(batch.features) }).crossEntropy);
  }

  /** Captions from the features of the frozen stages. */
  captionFeatures(features: Tensor, options: CaptionOptions = {}): Caption[] {
    const encoded = this.encode(features);
    try { return this.captioner.captionFeatures(encoded, options); } finally { encoded.dispose(); }
  }

  /** What the row learns on the students' training pictures. */
  batches(lessons: TeacherLessons, seed: number): DistillationBatches {
    const { vocabulary, config: { student: { training: { batchSize, maxWords } } } } = this.setup;
    return new DistillationBatches(this.setup, lessons, this.row, { vocabulary, batchSize, maxWords, seed });
  }

  /** The captions of the validation pictures, as people wrote them. */
  validationBatches(): CaptionBatches {
    const { vocabulary, studentData, studentFeatures, config: { student: { training: { batchSize, maxWords } } } } = this.setup;
    const dataset = studentData.split('val');
    return new CaptionBatches({ dataset, features: studentFeatures, vocabulary, batchSize: 2 * batchSize, maxWords });
  }
}
