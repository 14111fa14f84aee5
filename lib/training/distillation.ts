/**
 * Knowledge distillation (Hinton, Vinyals and Dean 2015, https://arxiv.org/abs/1503.02531): a student learns from a teacher's softened
 * distributions, for sentences word by word (Kim and Rush 2016, https://arxiv.org/abs/1606.07947, section 3.1), and from its features.
 */
import { customGradient, tf, type Scalar, type Tensor, type Tensor1D, type Tensor2D } from '../engine';

export interface DistillationOptions {
  /** Share of the teacher's terms in the loss, 0 to 1: (1 − β) · task + β · (encoderWeight · encoder + decoderWeight · decoder). */
  beta: number;
  /** Logits are divided by it before the softmax: above 1, unlikely words count more. */
  temperature: number;
  encoderWeight: number;
  decoderWeight: number;
}

/** The parts of the loss; one that has no weight is not computed. */
export interface DistillationTerms {
  task: () => Scalar;
  /** Distance of the feature grids, such as `featureDistillation`. */
  encoder: () => Scalar;
  /** Distance of the distributions, such as `wordDistillation`. */
  decoder: () => Scalar;
}

/**
 * The student's loss, (1 − β) · task + β · (encoderWeight · encoder + decoderWeight · decoder).
 *
 * @throws RangeError when a weight is out of range, or all of them are 0
 */
export function distillationLoss({ task, encoder, decoder }: DistillationTerms, options: DistillationOptions): Scalar {
  const { beta, encoderWeight, decoderWeight } = options;
  if (!(beta >= 0 && beta <= 1)) throw new RangeError(`beta is ${beta}: expected a share from 0 (no distillation) to 1 (nothing else).`);
  for (const [name, weight] of Object.entries({ encoderWeight, decoderWeight })) {
    if (!(weight >= 0 && Number.isFinite(weight))) throw new RangeError(`${name} is ${weight}: expected a number from 0 on.`);
  }
  const all = [[1 - beta, task], [beta * encoderWeight, encoder], [beta * decoderWeight, decoder]] as const;
  const terms = all.filter(([weight]) => weight > 0);
  if (terms.length === 0) throw new RangeError('Nothing is left to learn: beta is 1 and both encoderWeight and decoderWeight are 0.');
  return tf.tidy(() => tf.addN(terms.map(([weight, term]) => tf.mul(term(), weight))) as Scalar);
}

/**
 * T² · KL(teacher ‖ student) of the next word's distributions softened by T, as a mean over the words that count. The factor T² keeps
 * the size of the gradients, which the softening divides by it. Equal to
 * torch.nn.functional.kl_div(log_softmax(student / T), softmax(teacher / T)) summed over the classes. The teacher gets no gradient.
 *
 * @param student (rows, classes) logits
 * @param teacher (rows, classes) logits
 * @param labels (rows) int32; where it is `ignoreIndex` (padding) the row does not count
 * @throws Error when the teacher's logits have another shape: then it has other words
 */
export function wordDistillation(student: Tensor2D, teacher: Tensor2D, labels: Tensor1D, temperature: number, ignoreIndex = -100): Scalar {
  const usable = temperature > 0 && Number.isFinite(temperature);
  if (!usable) throw new RangeError(`The temperature is ${temperature}: expected a number above 0.`);
  checkShapes('logits', student, teacher, 'both must be trained on the same vocabulary, and read the same words');
  return customGradient([student], (save) => {
    const counted = tf.cast(tf.notEqual(labels, ignoreIndex), 'float32');
    const weights = tf.div(counted, tf.sum(counted));
    const soften = (logits: Tensor2D) => {
      const softened = tf.div(logits, temperature), norm = tf.logSumExp(softened, 1, true);
      return { norm, probabilities: tf.exp(tf.sub(softened, norm)) };
    };
    const [p, q] = [soften(teacher), soften(student)];
    const logRatio = tf.sub(tf.div(tf.sub(student, teacher), temperature), tf.sub(q.norm, p.norm));
    const divergences = tf.sum(divergenceTerms(p.probabilities, q.probabilities, logRatio), 1);
    save(tf.mul(tf.sub(q.probabilities, p.probabilities), tf.expandDims(tf.mul(weights, temperature), 1)));
    return tf.mul(tf.sum(tf.mul(divergences, weights)), temperature ** 2);
  }, (dy, [slope]) => [tf.mul(slope, dy)]) as Scalar;
}

/**
 * Mean squared difference of the feature grids, as torch.nn.MSELoss. The teacher gets no gradient.
 *
 * @param student (B, positions, features)
 * @param teacher same shape
 * @throws Error when the shapes differ: grid and channels of both encoders must agree
 */
export function featureDistillation(student: Tensor, teacher: Tensor): Scalar {
  checkShapes('features', student, teacher, 'both encoders must give the same grid with the same number of features');
  return customGradient([student], (save) => {
    const difference = tf.sub(student, teacher);
    save(tf.mul(difference, 2 / difference.size));
    return tf.mean(tf.square(difference));
  }, (dy, [slope]) => [tf.mul(slope, dy)]) as Scalar;
}

/**
 * Terms whose sum over the classes is KL(p ‖ q): p · (eʳ − 1 − r) with r = log(q / p). None is negative, and an error of r that all classes
 * share cancels, so little is lost where p and q are close: at T = 20 they are, and T² would enlarge what rounding leaves of Σ p · r.
 */
function divergenceTerms(p: Tensor, q: Tensor, logRatio: Tensor): Tensor {
  const near = tf.clipByValue(logRatio, -0.5, 0.5);
  const close = tf.mul(p, tf.sub(tf.expm1(near), near)), far = tf.sub(tf.sub(q, p), tf.mul(p, logRatio));
  return tf.where(tf.equal(near, logRatio), close, far);
}

function checkShapes(what: string, student: Tensor, teacher: Tensor, rule: string): void {
  const [ours, theirs] = [student.shape.join(', '), teacher.shape.join(', ')];
  if (ours !== theirs) throw new Error(`The student's ${what} have the shape [${ours}], the teacher's [${theirs}]: ${rule}.`);
}
