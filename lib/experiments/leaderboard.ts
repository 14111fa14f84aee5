/** Every captioner of the reports on the same pictures: which there are, where the notebooks keep them, and what the reports print. */
import { SmolVLMCaptioner, loadCaptioner } from '../captioners';
import { inProject } from '../project';
import type { ComparedCaptioner, MeasuredCaptioner } from './compare-captioners';
import type { DatasetChoice } from './dataset';
import { deitTransformer, reportedDeitTransformer } from './deit-transformer';
import { captionerFolder, hasCaptioner } from './kept-captioner';
import { reportedInceptionLstm } from './inception-lstm';
import { partA, reportedPartA } from './part-a';
import type { Profile } from './profile';
import { reportedShowAttendTell, showAttendTell } from './show-attend-tell';
import { reportedVitGpt2Prompt } from './vit-gpt2-prompt';

/** Scores that a report prints for its captioner, on its own data. */
export interface ReportedScores {
  'BLEU-4'?: number;
  METEOR?: number;
  'ROUGE-L'?: number;
  CIDEr?: number;
  CLIPScore?: number;
  /** What they were measured on. */
  data: string;
}

export interface LeaderboardEntry extends ComparedCaptioner {
  report: string;
  /** Number of the notebook that trains or uses it. */
  notebook: string;
  /** Where it lies; a checkpoint that is published lies nowhere here. */
  folder?: string;
  reported?: ReportedScores;
}

export interface LeaderboardConfig extends DatasetChoice {
  numBeams: number;
  /** CLIP for CLIPScore. */
  clip: string;
  entries: readonly LeaderboardEntry[];
}

const course = 'its course\'s pictures', flickr8k = 'Flickr8k, trained on COCO';

function entriesOf(profile: Profile): LeaderboardEntry[] {
  const { dataset, baseline: { checkpoint, ...asked } } = partA[profile];
  type Kept = Omit<LeaderboardEntry, 'load' | 'history' | 'folder'>;
  const kept = (report: string, run: string, entry: Kept): LeaderboardEntry => {
    const folder = captionerFolder(report, { dataset });
    const history = [inProject('runs', run.replace('*', dataset), 'history.jsonl')];
    return { ...entry, folder, load: () => loadCaptioner(folder), history };
  };
  const [smolvlm, custom] = reportedPartA.map(({ model: _, ...scores }): ReportedScores => ({ ...scores, data: course }));
  const best = reportedDeitTransformer.beams.find(({ beams }) => beams === 3)!;
  const inception = reportedInceptionLstm, prompted = reportedVitGpt2Prompt, { blip } = showAttendTell[profile];
  return [
    kept('000', '02-vit-gpt2-*/best-rate', { name: 'ViT + GPT-2', report: '000 A', notebook: '02', reported: custom }),
    {
      name: 'SmolVLM, zero-shot', report: '000 A', notebook: '02', load: () => SmolVLMCaptioner.load(checkpoint, asked),
      options: { maxNewTokens: asked.generation?.maxNewTokens }, reported: smolvlm,
    },
    kept('001', '05-inception-lstm-*', {
      name: 'InceptionResNetV2 + LSTM', report: '001 A', notebook: '05',
      reported: { 'ROUGE-L': inception.ROUGE_L, CIDEr: inception.CIDEr, data: course },
    }),
    kept('001-prompt', '06-vit-gpt2-prompt-*', {
      name: 'ViT + GPT-2, prompted', report: '001 B', notebook: '06',
      reported: { 'ROUGE-L': prompted.ROUGE_L, CIDEr: prompted.CIDEr, data: course },
    }),
    kept('002', '07-show-attend-tell-*', {
      name: 'Show, Attend and Tell', report: '002 I', notebook: '07',
      reported: { 'BLEU-4': reportedShowAttendTell.captioner, data: flickr8k },
    }),
    {
      name: 'BLIP, as published', report: '002 I', notebook: '07', load: () => loadCaptioner(blip.checkpoint), options: blip.generation,
      reported: { 'BLEU-4': reportedShowAttendTell.blip, data: flickr8k },
    },
    kept('003', '01-mobilenet-gru-*', { name: 'MobileNetV2 + GRU', report: '003', notebook: '01' }),
    kept('004', '10-deit-transformer-*', {
      name: 'DeiT-III + Transformer', report: '004', notebook: '10',
      reported: { CIDEr: best.CIDEr, CLIPScore: best.CLIPScore, data: course },
    }),
  ];
}

export const leaderboard = (profile: Profile): LeaderboardConfig => ({
  dataset: partA[profile].dataset, numBeams: 3, clip: deitTransformer[profile].clip, entries: entriesOf(profile),
});

/** Those that can be measured, and what to do for each of the others. */
export function availableEntries(entries: readonly LeaderboardEntry[]): { available: LeaderboardEntry[]; missing: string[] } {
  const isThere = ({ folder }: LeaderboardEntry): boolean => folder === undefined || hasCaptioner(folder);
  return {
    available: entries.filter(isThere),
    missing: entries.filter((entry) => !isThere(entry))
      .map(({ name, notebook, folder }) => `${name}: run notebook ${notebook}, which keeps it in ${folder}`),
  };
}

const measuredAs = { 'BLEU-4': 'Bleu_4', METEOR: 'METEOR', 'ROUGE-L': 'ROUGE_L', CIDEr: 'CIDEr', CLIPScore: 'CLIPScore' } as const;

/** What the reports print, each score beside ours of that captioner's beam captions; null where there is none. */
export function reportedScoreRows(
  entries: readonly LeaderboardEntry[], measured: readonly MeasuredCaptioner[],
): Record<string, string | number | null>[] {
  return entries.flatMap(({ name, report, reported }) => {
    if (!reported) return [];
    const ours = measured.find((one) => one.name === name)?.beam.scores;
    const columns = Object.entries(measuredAs) as [keyof typeof measuredAs, typeof measuredAs[keyof typeof measuredAs]][];
    const scores = columns.flatMap(([metric, own]) =>
      [[`${metric}, report`, reported[metric] ?? null], [`${metric}, here`, ours?.[own] ?? null]]);
    return [{ report, captioner: name, 'measured on': reported.data, ...Object.fromEntries(scores) as Record<string, number | null> }];
  });
}
