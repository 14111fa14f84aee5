/** Which public names can make tensors: the functions and classes of files that reach TensorFlow through what they import. */
import * as fs from 'node:fs';
import * as path from 'node:path';

const root = path.join(__dirname, '..', '..', 'lib');
const isSource = (name: string): boolean => /\.ts$/.test(name) && !/\.d\.ts$|^(dist|node_modules|bin|cli)\/|worker/.test(name);

/** The file that defines each name. */
function homesOf(exports: Readonly<Record<string, unknown>>): Map<string, string> {
  const homes = new Map<unknown, string>(), isIndex = (name: string): boolean => path.basename(name) === 'index.ts';
  const files = fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(isSource);
  // An index hands on what others define; a few define something themselves.
  for (const name of [...files.filter((each) => !isIndex(each)), ...files.filter(isIndex)]) {
    const file = path.join(root, name);
    const functions = Object.values(require(file) as object).filter((value) => typeof value === 'function');
    for (const value of functions) if (!homes.has(value)) homes.set(value, file);
  }
  const functions = Object.entries(exports).filter(([, value]) => typeof value === 'function');
  return new Map(functions.map(([name, value]) => {
    const home = homes.get(value);
    if (!home) throw new Error(`${name} is exported, but no file of lib/ defines it.`);
    return [name, home];
  }));
}

/** Files whose values a file imports. Of a folder's index, the homes of the names that are taken from it. */
function importsOf(file: string, homes: ReadonlyMap<string, string>): string[] {
  const statements = fs.readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s+(type\s)?([^;]*?)\sfrom\s+'(\.[^']*)'/gms);
  return [...statements].flatMap(([, isType, clause, from]) => {
    if (isType) return [];
    const target = path.join(path.dirname(file), from), direct = `${target}.ts`;
    if (fs.existsSync(direct)) return [direct];
    const all = /^\{(.*)\}$/s.exec(clause)?.[1].split(',').map((name) => name.trim()) ?? [];
    const names = all.filter((name) => name && !name.startsWith('type '));
    return names.map((name) => (name === 'tf' ? path.join(root, 'engine', 'tensorflow.ts') : homes.get(name) ?? '')).filter(Boolean);
  });
}

/** Names of `exports` that can make tensors. */
export function tensorNames(exports: Readonly<Record<string, unknown>>): string[] {
  const homes = homesOf(exports), reached = new Set([path.join(root, 'engine', 'tensorflow.ts')]);
  const all = [...new Set(homes.values())], imports = new Map<string, string[]>();
  for (const file of all) {
    for (const next of importsOf(file, homes)) if (!all.includes(next)) all.push(next);
    imports.set(file, importsOf(file, homes));
  }
  for (let before = -1; before !== reached.size;) {
    before = reached.size;
    for (const [file, from] of imports) if (from.some((each) => reached.has(each))) reached.add(file);
  }
  return [...homes].filter(([, file]) => reached.has(file)).map(([name]) => name);
}
