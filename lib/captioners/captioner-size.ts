import type { Captioner } from './captioner';

/** Values that a captioner is made of, and their size as float32; batch norm's statistics count in the size alone. */
export function captionerSize({ networks }: Pick<Captioner, 'networks'>): { parameters: number; megabytes: number } {
  const all = [...new Set(networks.flatMap((network) => [...network.namedParameters()].map(([, parameter]) => parameter)))];
  const count = (kept: typeof all) => kept.reduce((sum, { size }) => sum + size, 0);
  return { parameters: count(all.filter(({ isBuffer }) => !isBuffer)), megabytes: (count(all) * 4) / 1e6 };
}
