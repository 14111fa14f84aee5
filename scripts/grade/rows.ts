/** What the reports have in common: a row for each submission. */
import type { Result, Work } from './work';

export interface Row {
  name: string;
  key: string;
  /** Undefined: not run yet. */
  result?: Result;
  /** Others that handed in the very same file. */
  same: string[];
}

export const rowsOf = (work: Work): Row[] => work.submissions.map(({ name, key }) => ({
  name, key, result: work.result(key),
  same: work.submissions.filter((other) => other.key === key && other.name !== name).map((other) => other.name),
}));

/** Names of all scores, in order of appearance. */
export const scoreNames = (rows: readonly Row[]): string[] => [...new Set(rows.flatMap(({ result }) => Object.keys(result?.scores ?? {})))];

export const statusOf = ({ result }: Row): string => result?.status ?? 'not run';

/** How many there are of each status, most frequent first. */
export function countStatuses(rows: readonly Row[]): [status: string, count: number][] {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(statusOf(row), (counts.get(statusOf(row)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
