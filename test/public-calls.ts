/** Which of the library's public names can make tensors: those of files that reach TensorFlow through what they import. */
import * as fs from 'node:fs';
import * as path from 'node:path';

const lib = path.join(__dirname, '..', 'lib');

/** Files that a file imports values of, types left out. */
function importsOf(file: string): string[] {
  const text = fs.readFileSync(file, 'utf8');
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?([^;]*?)\sfrom\s+'(\.[^']*)'/gms);
  return [...statements].flatMap(([, type, names, from]) => {
    const valueNames = /^\{(.*)\}$/s.exec(names)?.[1].split(',').map((name) => name.trim()).filter((name) => name && !name.startsWith('type '));
    if (type || valueNames?.length === 0) return [];
    const base = path.join(path.dirname(file), from);
    return [`${base}.ts`, path.join(base, 'index.ts')].filter((each) => fs.existsSync(each)).slice(0, 1);
  });
}

/** Whether a file reaches TensorFlow; an import of a folder's index counts for the names it takes from there alone, so files are asked. */
export function publicTensorNames(exports: Readonly<Record<string, unknown>>): Map<string, string> {
  const files = fs.readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !/^(dist|node_modules|bin|cli)\//.test(name) && path.basename(name) !== 'index.ts' && !name.includes('worker'))
    .map((name) => path.join(lib, name));
  const homes = new Map<unknown, string>();
  for (const file of files) {
    for (const value of Object.values(require(file) as object)) if (typeof value === 'function') homes.set(value, file);
  }
  const byName = new Map<string, string>();
  for (const [name, value] of Object.entries(exports)) if (typeof value === 'function') byName.set(name, homes.get(value) ?? name);
  return byName;
}
export { importsOf };
