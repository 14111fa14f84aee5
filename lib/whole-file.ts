import * as fs from 'node:fs';

/** Writes a text file whole or not at all: beside the target, then renamed, so that a cut-off write leaves the former file. */
export function writeWhole(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, text);
  fs.renameSync(temporary, file);
}
