/** Report 004, problem 1: how much of CLIP's zero-shot accuracy is in the prompt. `small` and `full` differ in values only. */
import type { Prompts, ZeroShotClassifier, ZeroShotPrediction } from '../classifiers';
import {
  cutSceneObjects, loadImageFolder, loadScenes, type ImageFolderDataset, type SceneObjectOptions, type Split,
} from '../datasets';
import { AccuracyStatistics, classificationReport, PairedBootstrap, type BootstrapOptions, type ClassificationReport } from '../metrics';
import type { Embeddings } from '../models';
import type { Profile } from './profile';

/** Things cut out of Scenes, or a folder of labelled pictures that a variable of the environment names. */
export type PromptPictures = ({ from: 'scenes'; splits: readonly Split[] } & SceneObjectOptions) | { from: 'folder'; variable: string };

export interface ClipPromptsConfig {
  checkpoint: string;
  pictures: PromptPictures;
  /** The report's three first. */
  prompts: readonly string[];
  /** Several prompts as one classifier, by name. */
  ensembles: Readonly<Record<string, readonly string[]>>;
}

/** The report's prompts and the accuracies it prints for ViT-L/14 on its course's validation pictures. */
export const reportedClipPrompts: Readonly<Record<string, number>> = {
  'This is a photo of {object}': 0.6736,
  'This is a {object} image.': 0.7284,
  'No {object}, no score.': 0.4552,
};

const COLOURS = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown', 'white', 'black'];
const prompts = [
  ...Object.keys(reportedClipPrompts),
  'a photo of a {object}', 'an image of a {object}', 'there is a {object}', '{object}', 'A {object} in the snow.',
];

export const clipPrompts: Record<Profile, ClipPromptsConfig> = {
  small: {
    checkpoint: 'clip-scenes',
    pictures: { from: 'scenes', splits: ['val', 'test'], margin: 0.5, maxCovered: 0.1 },
    prompts,
    ensembles: {
      'the report\'s three': Object.keys(reportedClipPrompts),
      'four plain ones': prompts.slice(3, 7),
      'in every colour': COLOURS.map((colour) => `a photo of a ${colour} {object}`),
    },
  },
  full: {
    checkpoint: 'clip-vit-large-patch14',
    pictures: { from: 'folder', variable: 'CLIP_PICTURES_DIR' },
    prompts,
    ensembles: {
      'the report\'s three': Object.keys(reportedClipPrompts),
      'four plain ones': prompts.slice(3, 7),
      // The seven that OpenAI found to be enough for ImageNet (github.com/openai/CLIP, notebooks/Prompt_Engineering_for_ImageNet.ipynb).
      'seven of OpenAI\'s': [
        'itap of a {object}.', 'a bad photo of the {object}.', 'a origami {object}.', 'a photo of the large {object}.',
        'a {object} in a video game.', 'art of the {object}.', 'a photo of the small {object}.',
      ],
    },
  },
};

/** @throws Error when the variable is not set, or names no folder of pictures with id2label.json */
export async function loadPromptPictures({ pictures }: Pick<ClipPromptsConfig, 'pictures'>): Promise<ImageFolderDataset> {
  if (pictures.from === 'scenes') {
    const { splits, ...options } = pictures;
    return cutSceneObjects(loadScenes().where(({ split }) => splits.includes(split), `Scenes, ${splits.join(' and ')}`), options);
  }
  const folder = process.env[pictures.variable];
  if (!folder) {
    const folderOf = 'the folder of pictures <class id>_<number>.png with id2label.json (data/README.md)';
    throw new Error(`${pictures.variable} is not set: give ${folderOf}.`);
  }
  return loadImageFolder(folder);
}

export interface ComparePromptsOptions extends BootstrapOptions {
  classifier: ZeroShotClassifier;
  dataset: ImageFolderDataset;
  /** The dataset's, by the classifier's CLIP. */
  pictures: Embeddings;
  /** By the name to show; for a list of prompts that stand by themselves, `alone` gives it. */
  prompts: Readonly<Record<string, Prompts>>;
  signal?: AbortSignal;
  onPrompt?: (name: string) => void;
}

/** Every prompt under its own words. */
export const alone = (list: readonly string[]): Record<string, string> => Object.fromEntries(list.map((prompt) => [prompt, prompt]));

/** What one prompt, or ensemble of prompts, makes of the pictures. */
export interface PromptScore { name: string; predictions: ZeroShotPrediction[]; report: ClassificationReport }

/** Classifies all pictures by each prompt. The pictures are embedded already, and each prompt is once. */
export async function comparePrompts(options: ComparePromptsOptions): Promise<PromptComparison> {
  const { classifier, dataset, pictures, prompts: wanted, signal, onPrompt, ...bootstrap } = options;
  const labels = dataset.labels(), { classes } = classifier, scores: PromptScore[] = [];
  for (const [name, list] of Object.entries(wanted)) {
    const predictions = await classifier.predict(pictures, list, { signal });
    scores.push({ name, predictions, report: classificationReport(labels, predictions.map(({ label }) => label), { classes }) });
    onPrompt?.(name);
  }
  return new PromptComparison(dataset, scores, bootstrap);
}

const points = (share: number): number => Number((100 * share).toFixed(2));

/** The prompts' accuracies beside each other; intervals are of 95 % unless told otherwise, with the same pictures drawn for all prompts. */
export class PromptComparison {
  private readonly bootstrap: PairedBootstrap<'accuracy'>;

  constructor(readonly dataset: ImageFolderDataset, readonly scores: readonly PromptScore[], options: BootstrapOptions = {}) {
    const labels = dataset.labels(), groups = dataset.groups();
    const statistics = scores.map(({ name, predictions }) =>
      [name, new AccuracyStatistics(labels, predictions.map(({ label }) => label), groups)] as const);
    this.bootstrap = new PairedBootstrap<'accuracy'>(Object.fromEntries(statistics), options);
  }

  /** @throws RangeError for a name that is not among the scores */
  of(name: string): PromptScore {
    const found = this.scores.find((score) => score.name === name);
    if (found) return found;
    throw new RangeError(`There is no prompt ${JSON.stringify(name)}; there are ${this.scores.map((score) => score.name).join(' | ')}.`);
  }

  /** From the highest accuracy to the lowest. */
  ranked(): PromptScore[] {
    return [...this.scores].sort((a, b) => b.report.accuracy - a.report.accuracy);
  }

  /** The report's table: accuracy in percent with its interval, and what the report prints for the prompt. */
  accuracyRows(): Record<string, string | number | null>[] {
    return this.scores.map(({ name }) => {
      const { value, low, high } = this.bootstrap.interval(name, 'accuracy'), reported = reportedClipPrompts[name];
      return {
        prompt: name, 'accuracy (%)': points(value), from: points(low), to: points(high),
        'report 004 (%)': reported === undefined ? null : points(reported),
      };
    });
  }

  /** Each other prompt less `baseline`, in points of percent; pictures with another answer, and those that only one of the two gets right. */
  differenceRows(baseline: string): Record<string, string | number>[] {
    const hits = (name: string): boolean[] => this.of(name).predictions.map(({ label }, i) => label === this.dataset.records[i].label);
    const base = hits(baseline), answers = this.of(baseline).predictions;
    const count = (flags: readonly boolean[]): number => flags.filter(Boolean).length;
    return this.scores.filter(({ name }) => name !== baseline).map(({ name }) => {
      const { value, low, high, pValue } = this.bootstrap.difference(name, baseline, 'accuracy'), own = hits(name);
      return {
        prompt: name, 'difference (points)': points(value), from: points(low), to: points(high), 'p-value': pValue,
        'other answers': count(this.of(name).predictions.map(({ label }, i) => label !== answers[i].label)),
        'only it is right': count(own.map((hit, i) => hit && !base[i])), 'only the other': count(base.map((hit, i) => hit && !own[i])),
      };
    });
  }

  /** Share of each class's pictures that is recognised by the one prompt and by the other, the largest fall first. */
  classChanges(before: string, after: string): { class: string; before: number; after: number; change: number; pictures: number }[] {
    const [from, to] = [before, after].map((name) => this.of(name).report.classes);
    return from.map(({ name, recall, support }, c) =>
      ({ class: name, before: recall, after: to[c].recall, change: to[c].recall - recall, pictures: support }))
      .filter(({ pictures }) => pictures > 0).sort((a, b) => a.change - b.change);
  }
}
