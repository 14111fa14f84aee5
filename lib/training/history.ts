/** What a training wrote down of its epochs: history.jsonl, a line an epoch. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { readable } from '../excerpt';

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

const recordSchema = z.object({
  epoch: z.int().min(1), trainLoss: z.number(),
  // JSON has null for what is no number.
  metrics: z.record(z.string(), z.number().nullable().transform((value) => value ?? NaN)), seconds: z.number(),
});

/**
 * Records of a run's history.jsonl, of the first so many epochs; the later of two lines for the same epoch counts, and a last line that
 * was cut off does not. None without the file.
 *
 * @throws Error naming file and line of what is no record of an epoch
 */
export function readHistory(file: string, epochs = Infinity): EpochRecord[] {
  if (!fs.existsSync(file)) return [];
  const records = new Map<number, EpochRecord>();
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  for (const [i, line] of lines.entries()) {
    if (i === lines.length - 1) break;
    const fail = (what: string): never => {
      throw new Error(readable(`${file}:${i + 1}: ${what}. Put the line right, or delete ${path.dirname(file)} to train anew.`));
    };
    let json: unknown;
    try { json = JSON.parse(line); } catch { fail('this is not JSON'); }
    const parsed = recordSchema.safeParse(json);
    if (parsed.success) records.set(parsed.data.epoch, parsed.data);
    else fail(`${parsed.error.issues[0].path.join('.') || 'the line'}: ${parsed.error.issues[0].message}`);
  }
  return [...records.values()].filter((record) => record.epoch <= epochs).sort((a, b) => a.epoch - b.epoch);
}
