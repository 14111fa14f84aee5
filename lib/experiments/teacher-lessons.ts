import { tf, yieldToEventLoop } from '../engine';
import type { AttentionLstmDecoder, FeatureCaptioner } from '../captioners';
import type { CaptionDataset } from '../datasets';
import { CaptionBatches } from '../training';
import type { DistillationRow, DistillationSetup } from './knowledge-distillation';
import { teacherSentences } from './teacher-sentences';

export type DistillationTeacher = FeatureCaptioner<AttentionLstmDecoder>;

/** Captions that the teacher reads at once. */
const BATCH_SIZE = 100;

/**
 * What a teacher gives its students, computed once for all of them when the first one asks. The logits are kept in memory: 30 MB for the
 * small profile's 1,700 captions and 260 words, about 1 GB for Flickr8k's 10,000 and 2,000.
 */
export class TeacherLessons {
  private readonly people: CaptionDataset;
  private sentences?: CaptionDataset;
  private readonly logitsOf = new Map<CaptionDataset, Promise<Float32Array[]>>();

  constructor(private readonly setup: DistillationSetup, private readonly teacher: DistillationTeacher) {
    this.people = setup.studentData.split('train');
  }

  /** What the row's students learn to say of their training pictures. */
  captions({ captions }: DistillationRow): CaptionDataset {
    if (captions !== 'teacher') return this.people;
    const { teacherFeatures, config: { numBeams } } = this.setup;
    return (this.sentences ??= teacherSentences(this.people, this.teacher, teacherFeatures, { numBeams }));
  }

  /** For each caption that the row's students learn, in the dataset's order: what comes next for the teacher, (words + end, vocabulary). */
  logits(row: DistillationRow): Promise<readonly Float32Array[]> {
    const captions = this.captions(row);
    let logits = this.logitsOf.get(captions);
    if (!logits) this.logitsOf.set(captions, logits = this.read(captions));
    return logits;
  }

  private async read(dataset: CaptionDataset): Promise<Float32Array[]> {
    const { teacherFeatures: features, vocabulary, config: { student: { training: { maxWords } } } } = this.setup;
    const batches = new CaptionBatches({ dataset, features, vocabulary, maxWords, batchSize: BATCH_SIZE }), order = batches.order(0);
    const all: Float32Array[] = [];
    for (let i = 0; i < batches.stepsPerEpoch; i++) {
      const batch = batches.batch(order, i), [rows, steps] = batch.labels.shape, { size } = vocabulary;
      const { logits, attention } = this.teacher.decoder.forward(batch.features, batch.inputIds);
      const values = logits.dataSync() as Float32Array, labels = batch.labels.dataSync();
      for (let row = 0; row < rows; row++) {
        const words = labels.subarray(row * steps, (row + 1) * steps).filter((label) => label >= 0).length;
        all.push(values.slice(row * steps * size, (row * steps + words) * size));
      }
      tf.dispose([logits, attention, ...Object.values(batch)]);
      await yieldToEventLoop();
    }
    return all;
  }
}
