/**
 * The cache on disk, in the layout of Python's huggingface_hub (docs: "Understand caching"), so that each finds the other's files:
 *
 *     models--owner--repository/
 *       refs/main                      the commit that `main` stood for when it was downloaded
 *       blobs/<checksum>               contents; `.incomplete` behind the name of one that is under way
 *       snapshots/<commit>/config.json a link to a blob
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeWhole } from '../../whole-file';
import { isCommit, repositoryFolder } from './repository';

export class RepositoryCache {
  readonly folder: string;

  constructor(private readonly cache: string, repository: string) {
    this.folder = path.join(cache, repositoryFolder(repository));
  }

  snapshot(commit: string): string { return path.join(this.folder, 'snapshots', commit); }
  blob(name: string): string { return path.join(this.folder, 'blobs', name); }
  lock(name: string): string { return path.join(this.cache, '.locks', path.basename(this.folder), `${name}.owner`); }

  /** The folder of a revision's files, whole or not; undefined when nothing of it is here. */
  findSnapshot(revision: string): string | undefined {
    const commit = isCommit(revision) ? revision : this.readRef(revision);
    const folder = commit && this.snapshot(commit);
    return folder && fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? folder : undefined;
  }

  private readRef(revision: string): string | undefined {
    let text: string;
    try { text = fs.readFileSync(path.join(this.folder, 'refs', revision), 'utf8').trim(); } catch { return undefined; }
    return isCommit(text) ? text : undefined;
  }

  /** Notes which commit a branch or tag stands for. Last of all, so that a half download never takes the place of a whole one. */
  writeRef(revision: string, commit: string): void {
    if (revision === commit || this.readRef(revision) === commit) return;
    const file = path.join(this.folder, 'refs', revision);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    writeWhole(file, commit);
  }

  /** Puts a blob into a snapshot, by a relative link, or by a copy where the file system has no links. */
  link(blobName: string, commit: string, fileName: string): void {
    const file = path.join(this.snapshot(commit), fileName), blob = this.blob(blobName);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const target = path.relative(path.dirname(file), blob), temporary = `${file}.${process.pid}.tmp`;
    fs.rmSync(temporary, { force: true });
    try { fs.symlinkSync(target, temporary); } catch (error) {
      if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      fs.copyFileSync(blob, temporary);
    }
    fs.renameSync(temporary, file);
  }
}
