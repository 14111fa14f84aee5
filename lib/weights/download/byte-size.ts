const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes as people read them, in powers of 1000 as the hub shows them, to three digits: 570 B, 88.2 MB, 1.22 GB. */
export function formatBytes(bytes: number): string {
  let amount = bytes, unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 || amount >= 99.95 ? Math.round(amount) : Number(amount.toPrecision(3))} ${units[unit]}`;
}
