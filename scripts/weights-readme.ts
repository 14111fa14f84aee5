/** Writes the table of published checkpoints in weights/README.md from the registry: `npx tsx scripts/weights-readme.ts`. */
import * as fs from 'node:fs';
import { inProject } from '../lib/project';
import { checkpointRegistry, formatBytes } from '../lib/weights';
import { writeWhole } from '../lib/whole-file';

export const weightsReadme = inProject('weights', 'README.md');

const START = '<!-- Made by scripts/weights-readme.ts from lib/weights/registry. -->\n', END = '<!-- End of the table. -->\n';

function table(): string {
  const rows = checkpointRegistry.map(({ name, repository, architecture, bytes, licence, preprocessing, usedBy }) => [
    `\`npx captioning download ${name}\``, formatBytes(bytes), `[${repository}](https://huggingface.co/${repository})`,
    `\`${architecture}\``, preprocessing, licence, usedBy.join(', '),
  ]);
  const heads = ['download', 'size', 'on the hub', 'architecture', 'input', 'licence', 'reports'];
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** The text with the table brought up to date. */
export function withTable(readme: string): string {
  const from = readme.indexOf(START), to = readme.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${weightsReadme} lacks the lines ${START.trim()} and ${END.trim()}, between which the table stands.`);
  return `${readme.slice(0, from)}${START}\n${table()}\n${readme.slice(to)}`;
}

if (require.main === module) writeWhole(weightsReadme, withTable(fs.readFileSync(weightsReadme, 'utf8')));
