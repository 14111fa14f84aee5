import * as fs from 'node:fs';

/** Writes a text file whole or not at all: beside the target, then renamed, so that a cut-off write leaves the former file. */
export function writeWhole(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    // On the disk before it is renamed: else a power cut could leave an empty file under the name.
    fs.writeFileSync(temporary, text, { flush: true });
    fs.renameSync(temporary, file);
  } catch (error) {
    try { fs.rmSync(temporary, { force: true }); } catch { /* What was wrong with writing it is the error to tell. */ }
    throw error;
  }
}
