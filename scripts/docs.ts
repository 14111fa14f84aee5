// Writes docs/architecture.md, docs/api.md and docs/api/ from the source:   npm run docs
import fs from 'node:fs';
import path from 'node:path';
import { ApiReader, apiIndex, roomPage } from './docs/api';
import { architecturePage, readImports, ROOMS, violations } from './docs/architecture';

const root = path.resolve(__dirname, '..'), lib = path.join(root, 'lib'), docs = path.join(root, 'docs');

const imports = readImports(lib), reader = new ApiReader(lib);
const rooms = ROOMS.filter(([room]) => fs.existsSync(path.join(lib, room, 'index.ts')))
  .map(([room, what]) => ({ room, what, entries: reader.room(room) }));
fs.mkdirSync(path.join(docs, 'api'), { recursive: true });
fs.writeFileSync(path.join(docs, 'architecture.md'), architecturePage(imports));
fs.writeFileSync(path.join(docs, 'api.md'), apiIndex(rooms));
for (const { room, what, entries } of rooms) fs.writeFileSync(path.join(docs, 'api', `${room}.md`), roomPage(room, what, entries));
const all = rooms.flatMap(({ entries }) => entries);
const undocumented = all.filter(({ doc, kind }) => !doc && (kind === 'function' || kind === 'class'));
console.log(`docs/: ${rooms.length} rooms, ${all.length} exports, ${undocumented.length} functions and classes without a docstring`);
for (const line of violations(imports)) console.error(`✗ ${line}`);
if (violations(imports).length > 0) process.exitCode = 1;
