/** A notebook without a kernel: what would be shown is recorded. */
import type { DisplayContent, KernelLink } from '../../lib/notebook/display';

const LINK = Symbol.for('captioning.kernel');

export interface Shown extends DisplayContent { update: boolean }

/** Runs work as if in a notebook and gives back what it showed. */
export async function inFakeNotebook(work: (link: KernelLink, shown: Shown[]) => unknown): Promise<Shown[]> {
  const shown: Shown[] = [];
  const link: KernelLink = { writeDisplay: (content, update) => { shown.push({ ...content, update }); }, interruptHandlers: new Set() };
  const globals = globalThis as Record<symbol, unknown>;
  globals[LINK] = link;
  try { await work(link, shown); } finally { delete globals[LINK]; }
  return shown;
}
