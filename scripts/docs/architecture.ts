/** The drawing of the library's rooms (the folders of lib/), from the imports that are really there. */
import fs from 'node:fs';
import path from 'node:path';

/** Rooms from the top down: what stands above may import what stands below, never the other way round. */
export const ROOMS: readonly (readonly [room: string, what: string])[] = [
  ['cli', 'the command line'],
  ['experiments', 'the notebooks\' settings'],
  ['notebook', 'what a cell shows'],
  ['explain', 'attention maps, Grad-CAM'],
  ['metrics', 'BLEU, METEOR, ROUGE-L, CIDEr, CLIPScore'],
  ['training', 'the loop, optimizers, checkpoints'],
  ['classifiers', 'zero-shot, caption source'],
  ['captioners', 'encoder-decoders, one interface'],
  ['datasets', 'Scenes, Flickr8k, COCO, CSV'],
  ['models', 'published networks'],
  ['generation', 'greedy, beams, sampling'],
  ['weights', 'safetensors, checkpoints, download'],
  ['tokenizers', 'words and pieces'],
  ['images', 'decode, resize, occlude'],
  ['nn', 'modules and layers'],
  ['engine', 'TensorFlow'],
];

export interface Imports {
  /** Rooms that a room imports, by the number of files that do. */
  rooms: Map<string, Map<string, number>>;
  /** Imports of the TensorFlow package outside of engine/ that are more than types. */
  tensorflow: string[];
  /** Imports of a room by a file that lies beside the rooms, lib/index.ts aside. */
  fromBelow: string[];
}

const IMPORT = /^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|\b(?:require|import)\(\s*'([^']+)'\s*\)/gm;

/** What the files of `lib` import of each other; compiled files and packages are left alone. */
export function readImports(lib: string): Imports {
  const rooms = new Map<string, Map<string, number>>(), tensorflow: string[] = [], fromBelow: string[] = [];
  const files = fs.readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !/^(dist|node_modules)[\\/]/.test(file)).sort();
  for (const file of files) {
    const [room] = file.split(path.sep), beside = room === file, imported = new Set<string>();
    for (const [, type, from, required] of fs.readFileSync(path.join(lib, file), 'utf8').matchAll(IMPORT)) {
      const name = from ?? required;
      if (name.startsWith('@tensorflow/') && room !== 'engine' && !type) tensorflow.push(file);
      if (!name.startsWith('.')) continue;
      const [target] = path.relative(lib, path.resolve(lib, path.dirname(file), name)).split(path.sep);
      if (target !== room && fs.statSync(path.join(lib, target), { throwIfNoEntry: false })?.isDirectory()) imported.add(target);
    }
    if (beside && file !== 'index.ts') fromBelow.push(...[...imported].map((target) => `${file} imports ${target}`));
    if (beside) continue;
    const counts = rooms.get(room) ?? new Map<string, number>();
    for (const target of imported) counts.set(target, (counts.get(target) ?? 0) + 1);
    rooms.set(room, counts);
  }
  return { rooms, tensorflow, fromBelow };
}

/** What breaks the order of {@link ROOMS}, a line each; none if all is well. */
export function violations({ rooms, tensorflow, fromBelow }: Imports): string[] {
  const order = ROOMS.map(([room]) => room), found = [...fromBelow];
  const homeless = [...rooms.keys()].filter((room) => !order.includes(room));
  found.push(...homeless.map((room) => `${room} is not among ROOMS: give it its place in scripts/docs/architecture.ts`));
  for (const [room, targets] of rooms) {
    const above = [...targets.keys()].filter((target) => order.indexOf(target) < order.indexOf(room));
    found.push(...above.map((target) => `${room} imports ${target}, which stands above it`));
  }
  return [...found, ...tensorflow.map((file) => `${file} imports TensorFlow's package: only engine/ does`)];
}

/** Imports that no path over other rooms makes up for: what is worth drawing. */
function direct(rooms: Imports['rooms']): [string, string][] {
  const reaches = (from: string, to: string): boolean =>
    [...rooms.get(from)?.keys() ?? []].some((next) => next === to || reaches(next, to));
  return ROOMS.flatMap(([room]) => {
    const targets = [...rooms.get(room)?.keys() ?? []].sort();
    return targets.filter((to) => !targets.some((other) => other !== to && reaches(other, to))).map((to): [string, string] => [room, to]);
  });
}

/** docs/architecture.md: a drawing (mermaid) and the table of all imports. */
export function architecturePage({ rooms }: Imports): string {
  const present = ROOMS.filter(([room]) => rooms.has(room));
  const boxes = present.map(([room, what]) => `  ${room}["<b>${room}</b><br/>${what}"]`);
  const arrows = direct(rooms).map(([from, to]) => `  ${from} --> ${to}`);
  const rows = present.map(([room]) => {
    const targets = ROOMS.flatMap(([target]) => (rooms.get(room)!.has(target) ? [target] : []));
    return `| \`lib/${room}\` | ${targets.join(', ') || 'none'} |`;
  });
  return `# Architecture

<!-- Made by scripts/docs.ts from the imports of lib/: npm run docs. -->

Rooms are the folders of \`lib/\`. Imports point down; an arrow that other arrows make up for is not drawn. Beside the rooms lie
small files that import none of them (paths of the project, whole files, plain random numbers). Notebooks import all of it as \`captioning\`.

\`\`\`mermaid
flowchart TD
  notebooks(["notebooks/*.ipynb"]) --> experiments
${[...boxes, ...arrows].join('\n')}
\`\`\`

| room | imports |
|---|---|
${rows.join('\n')}
`;
}
