/** What a training wrote down of its epochs: history.jsonl, a line an epoch. */
import * as fs from 'node:fs';

export interface EpochRecord {
  /** 1 for the first. */
  epoch: number;
  /** Mean of the steps' losses. */
  trainLoss: number;
  /** What `validate` returned, such as valLoss, and at the epochs it is due what `evaluate` did, such as CIDEr. */
  metrics: Record<string, number>;
  seconds: number;
}

export const historyLine = (record: EpochRecord): string => `${JSON.stringify(record)}\n`;

/** Records of a run's history.jsonl, of the first so many epochs; the later of two lines for the same epoch counts. None without the file. */
export function readHistory(file: string, epochs = Infinity): EpochRecord[] {
  if (!fs.existsSync(file)) return [];
  const records = new Map<number, EpochRecord>();
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    try { const record = JSON.parse(line) as EpochRecord; records.set(record.epoch, record); } catch { /* a torn last line */ }
  }
  return [...records.values()].filter((record) => record.epoch <= epochs).sort((a, b) => a.epoch - b.epoch);
}
