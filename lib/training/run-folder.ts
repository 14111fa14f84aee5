/** The folder of a training: one run at a time, its checkpoints, its history, and what to do when they cannot be written. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { tryLock, type FileLock } from '../file-lock';
import type { Module } from '../nn';
import { writeWhole } from '../whole-file';
import type { Adam } from './adam';
import {
  clearRun, findCheckpoint, keepEpoch, loadCheckpoint, loadWeights, readState, removeTemporaries, saveCheckpoint, type TrainingState,
} from './checkpoint';
import { historyLine, readHistory, type EpochRecord } from './history';

const LOCK = 'run.lock';
/** A run renews its lock whenever its loop turns, which a long validation may keep it from: so long nobody on another machine takes it over. */
const SILENCE = 3_600_000;

export class RunFolder {
  private lock?: FileLock;
  private readonly history: string;

  private constructor(private readonly folder: string) { this.history = path.join(folder, 'history.jsonl'); }

  /**
   * Takes the folder for a run, unless the run there has ended and is only to be read. `restart` clears away a run that has ended or had
   * other settings.
   *
   * @throws Error when another run is at work there, or when nothing can be written
   */
  static open(folder: string, { config, epochs, restart }: { config: string; epochs: number; restart: boolean }): RunFolder {
    const run = new RunFolder(folder), found = (): TrainingState | undefined => {
      const last = findCheckpoint(folder, 'last');
      return last === undefined ? undefined : readState(last);
    };
    const first = found();
    if (first && hasEnded(first, epochs) && !restart) return run;
    run.lock = lockFolder(folder);
    try {
      // The owner before may have gone on until just now.
      const last = found();
      if (last && restart && (hasEnded(last, epochs) || last.config !== config)) clearRun(folder, LOCK);
      removeTemporaries(folder);
    } catch (error) {
      run.close();
      throw error;
    }
    return run;
  }

  /** Puts model and optimizer where the last checkpoint has them; undefined if there is none. */
  resume(model: Module, optimizer: Adam, config: string): TrainingState | undefined {
    const last = findCheckpoint(this.folder, 'last');
    return last === undefined ? undefined : loadCheckpoint(last, model, optimizer, config);
  }

  /** The records of so many epochs; what a cut left behind them goes: a torn line, or one of an epoch that is now gone through again. */
  takeHistory(epochs: number): EpochRecord[] {
    const records = readHistory(this.history, epochs);
    if (this.lock && fs.existsSync(this.history)) this.write('history', () => writeWhole(this.history, records.map(historyLine).join('')));
    return records;
  }

  append(record: EpochRecord): void { this.write('history', () => fs.appendFileSync(this.history, historyLine(record))); }

  save(name: 'last' | 'best', model: Module, optimizer: Adam, state: TrainingState): void {
    this.write('checkpoint', () => saveCheckpoint(this.folder, name, model, optimizer, state));
  }

  keepEpoch(epoch: number, model: Module): void { this.write('weights', () => keepEpoch(this.folder, epoch, model)); }

  loadBest(model: Module): void {
    const best = findCheckpoint(this.folder, 'best');
    if (best !== undefined) loadWeights(best, model);
  }

  close(): void { this.lock?.release(); }

  private write(what: string, write: () => void): void {
    if (!this.lock!.isHeld()) {
      throw new Error(`${this.folder}: another run has taken this folder over (its ${LOCK} is not of this one any more). This run ends here and writes nothing.`);
    }
    try { write(); } catch (error) {
      const last = fs.existsSync(path.join(this.folder, 'last.json')) ? findCheckpoint(this.folder, 'last') : undefined;
      const kept = last === undefined ? 'There is no checkpoint yet.' : `The checkpoint before it, ${last}, is whole: call train again to go on from there.`;
      throw storageError(error, `The ${what} could not be written to ${this.folder}`, kept);
    }
  }
}

export const hasEnded = (state: TrainingState, epochs: number): boolean => state.finished || state.epoch >= epochs;

function lockFolder(folder: string): FileLock {
  const file = path.join(folder, LOCK);
  let result: ReturnType<typeof tryLock>;
  try { result = tryLock(file, SILENCE); } catch (error) {
    throw storageError(error, `The run cannot be kept in ${folder}`, 'Name another folder, or none to keep nothing.');
  }
  if (result.lock) return result.lock;
  const { pid = 'unknown', host = 'unknown', since = 'an unknown time' } = result.owner;
  const owner = pid === process.pid && host === os.hostname() ? 'this very process' : `process ${pid} on ${host}`;
  throw new Error(`${folder}: another run has been at work there since ${since} (${owner}). Wait for its end, or use another folder; `
    + `if it is gone for certain, delete ${file}.`);
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space', EDQUOT: 'your share of the disk is used up: free some space', EFBIG: 'the file is larger than is allowed here',
  EROFS: 'it is read-only', EACCES: 'its rights do not allow it', EPERM: 'its rights do not allow it',
  // What making a folder of a read-only one fails with in Node.
  ENOENT: 'it cannot be made: is the folder above it read-only?',
  ENOTDIR: 'a file is in the way', EEXIST: 'a file is in the way', EIO: 'the disk does not work',
};

/** An error of the file system in words that say what to do; others as they are. */
function storageError(error: unknown, what: string, then: string): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return code in CAUSES ? new Error(`${what}: ${CAUSES[code]} (${message}). ${then}`, { cause: error }) : error;
}
