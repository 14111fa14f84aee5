/** The most memory that this process has held at once. */
import * as fs from 'node:fs';

/**
 * Peak resident memory in bytes since {@link resetPeakMemory}, where that has no effect since the process began. From Linux's own
 * account of this process: what `resourceUsage` tells begins with the parent's.
 */
export function peakMemory(): number {
  let status = '';
  try { status = fs.readFileSync('/proc/self/status', 'utf8'); } catch { /* no Linux */ }
  const kilobytes = /VmHWM:\s+(\d+)/.exec(status)?.[1];
  return 1024 * (kilobytes === undefined ? process.resourceUsage().maxRSS : Number(kilobytes));
}

/** Begins anew with what is held now. Nothing happens where the system does not offer it. */
export function resetPeakMemory(): void {
  try { fs.writeFileSync('/proc/self/clear_refs', '5'); } catch { /* no Linux, or not allowed */ }
}
