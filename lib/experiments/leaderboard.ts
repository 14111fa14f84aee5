/** Every captioner of the reports on the same pictures: which there are, where the notebooks keep them, and what the reports print. */
import { existsSync } from 'node:fs';
import { SmolVLMCaptioner, loadCaptioner } from '../captioners';
import { inProject } from '../project';
import type { ComparedCaptioner, MeasuredCaptioner } from './compare-captioners';
import type { DatasetChoice } from './dataset';
import { captionerFolder } from './kept-captioner';
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
  const kept = (entry: Omit<LeaderboardEntry, 'load' | 'history' | 'folder'>, report: string, run: string): LeaderboardEntry => {
    const at = captionerFolder(report, { dataset });
    return { ...entry, folder: at, load: () => loadCaptioner(at), history: [inProject('runs', run.replace('*', dataset), 'history.jsonl')] };
  };
  const [smolvlm, custom] = reportedPartA.map(({ model: _, ...scores }): ReportedScores => ({ ...scores, data: course }));
  const { ROUGE_L, CIDEr } = reportedInceptionLstm, prompted = reportedVitGpt2Prompt, { blip } = showAttendTell[profile];
  return [
    kept({ name: 'ViT + GPT-2', report: '000 A', notebook: '02', reported: custom },
      '000', '02-vit-gpt2-*/best-rate'),
    {
      name: 'SmolVLM, zero-shot', report: '000 A', notebook: '02', load: () => SmolVLMCaptioner.load(checkpoint, asked), options: { maxNewTokens: 48 },
      reported: smolvlm,
    },
    kept({ name: 'InceptionResNetV2 + LSTM', report: '001 A', notebook: '05', reported: { 'ROUGE-L': ROUGE_L, CIDEr, data: course } },
      '001', '05-inception-lstm-*'),
    kept({ name: 'ViT + GPT-2, prompted', report: '001 B', notebook: '06', reported: { 'ROUGE-L': prompted.ROUGE_L, CIDEr: prompted.CIDEr, data: course } },
      '001-prompt', '06-vit-gpt2-prompt-*'),
    kept({ name: 'Show, Attend and Tell', report: '002 I', notebook: '07', reported: { 'BLEU-4': reportedShowAttendTell.captioner, data: flickr8k } },
      '002', '07-show-attend-tell-*'),
    {
      name: 'BLIP, as published', report: '002 I', notebook: '07', load: () => loadCaptioner(blip.checkpoint), options: blip.generation,
      reported: { 'BLEU-4': reportedShowAttendTell.blip, data: flickr8k },
    },
    kept({ name: 'MobileNetV2 + GRU', report: '003', notebook: '01' }, '003', '01-mobilenet-gru-*'),
    kept({ name: 'DeiT-III + Transformer', report: '004', notebook: '10', reported: { CIDEr: 0.9413, CLIPScore: 0.7311, data: course } },
      '004', '10-deit-transformer-*'),
  ];
}

export const leaderboard = (profile: Profile): LeaderboardConfig => ({
  dataset: partA[profile].dataset, numBeams: 3, clip: profile === 'small' ? 'clip-scenes' : 'clip-vit-base-patch32', entries: entriesOf(profile),
});

/** Those that can be measured, and what to do for each of the others. */
export function availableEntries(entries: readonly LeaderboardEntry[]): { available: LeaderboardEntry[]; missing: string[] } {
  const isThere = ({ folder }: LeaderboardEntry): boolean => folder === undefined || existsSync(`${folder}/config.json`);
  return {
    available: entries.filter(isThere),
    missing: entries.filter((entry) => !isThere(entry)).map(({ name, notebook, folder }) => `${name}: run notebook ${notebook}, which keeps it in ${folder}`),
  };
}

const measuredAs = { 'BLEU-4': 'Bleu_4', METEOR: 'METEOR', 'ROUGE-L': 'ROUGE_L', CIDEr: 'CIDEr', CLIPScore: 'CLIPScore' } as const;

/** What the reports print, each score beside ours of that captioner's beam captions; null where there is none. */
export function reportedScoreRows(entries: readonly LeaderboardEntry[], measured: readonly MeasuredCaptioner[]): Record<string, string | number | null>[] {
  return entries.flatMap(({ name, report, reported }) => {
    if (!reported) return [];
    const ours = measured.find((one) => one.name === name)?.beam.scores;
    const columns = Object.entries(measuredAs) as [keyof typeof measuredAs, typeof measuredAs[keyof typeof measuredAs]][];
    const scores = columns.flatMap(([metric, own]) => [[`${metric}, report`, reported[metric] ?? null], [`${metric}, here`, ours?.[own] ?? null]]);
    return [{ report, captioner: name, 'measured on': reported.data, ...Object.fromEntries(scores) as Record<string, number | null> }];
  });
}
