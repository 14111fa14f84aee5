/** What the registry knows of a published checkpoint. */
export interface CheckpointEntry {
  /** Short name, for `load`, `resolveCheckpoint` and `npx captioning download`. */
  name: string;
  /** owner/repository on the Hugging Face hub. */
  repository: string;
  /** Branch, tag or commit. `main`: the commit is the one that the hub names when it is downloaded, and stays with the files. */
  revision: string;
  licence: string;
  /** What a download weighs, about: the sum of `files` as the hub's pages show it, to three digits. */
  bytes: number;
  /** The class in config.json's `architectures`, or timm's `architecture`. */
  architecture: string;
  /** What the checkpoint's own files say of its input, for the reader; the code reads those files. */
  preprocessing: string;
  /** What a download brings, weights last. Only consulted where a server has no list of files. */
  files: readonly string[];
  /** The course reports that start from it, or from one that it may stand for; none for a close relative of theirs. */
  usedBy: readonly string[];
}
