import { progress, type Progress } from '../notebook/progress';

const silent: Progress = { step() {}, done() {} };

/** A bar on a terminal; nothing where standard error goes to a file or another program. */
export const terminalProgress: typeof progress = (total, label, options) =>
  (process.stderr.isTTY ? progress(total, label, options) : silent);
