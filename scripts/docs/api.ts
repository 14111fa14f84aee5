/** Pages of the public API: what `import … from 'captioning'` gives, room by room, with docstrings and declarations as in the source. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as TypeScript from '@tslab/typescript-for-tslab';

// The project's own TypeScript is a program without a JavaScript interface; the notebook kernel's has one.
const ts = createRequire(require.resolve('tslab/package.json'))('@tslab/typescript-for-tslab') as typeof TypeScript;

export interface ApiEntry {
  name: string;
  kind: 'function' | 'class' | 'interface' | 'type' | 'const' | 'namespace';
  /** Relative to the library's folder. */
  file: string;
  /** Markdown; empty where there is no docstring. */
  doc: string;
  /** The declaration without bodies. */
  declaration: string;
}

type Declared = { statement: TypeScript.Statement; declaration?: TypeScript.VariableDeclaration; source: TypeScript.SourceFile };

/** Reads what a module exports, through everything that it passes on. */
export class ApiReader {
  private readonly sources = new Map<string, TypeScript.SourceFile>();

  constructor(private readonly lib: string) {}

  /** The exports of a room, by name. */
  room(room: string): ApiEntry[] {
    const found = this.exports(path.join(this.lib, room, 'index.ts'));
    const entries = [...found].map(([name, declared]) => this.entry(name, declared));
    return entries.sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  }

  private source(file: string): TypeScript.SourceFile {
    const known = this.sources.get(file) ?? ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    this.sources.set(file, known);
    return known;
  }

  private exports(file: string): Map<string, Declared> {
    const source = this.source(file), own = declarationsOf(source), found = new Map<string, Declared>();
    for (const [name, declared] of own) if (isExported(declared.statement)) found.set(name, declared);
    for (const statement of source.statements) {
      if (!ts.isExportDeclaration(statement)) continue;
      const from = statement.moduleSpecifier && ts.isStringLiteral(statement.moduleSpecifier) ? statement.moduleSpecifier.text : undefined;
      if (from !== undefined && !from.startsWith('.')) continue; // a package's own types
      const theirs = from === undefined ? own : this.exports(moduleFile(path.resolve(path.dirname(file), from)));
      const clause = statement.exportClause;
      if (!clause) for (const [name, declared] of theirs) found.set(name, found.get(name) ?? declared);
      else if (ts.isNamedExports(clause)) {
        for (const { name, propertyName } of clause.elements) {
          const declared = theirs.get((propertyName ?? name).text);
          if (declared) found.set(name.text, declared);
        }
      }
    }
    return found;
  }

  private entry(name: string, { statement, declaration, source }: Declared): ApiEntry {
    const kind = ts.isFunctionDeclaration(statement) ? 'function' : ts.isClassDeclaration(statement) ? 'class'
      : ts.isInterfaceDeclaration(statement) ? 'interface' : ts.isTypeAliasDeclaration(statement) ? 'type'
        : ts.isVariableStatement(statement) ? 'const' : 'namespace';
    const doc = docOf(declaration?.parent.parent ?? statement), file = path.relative(this.lib, source.fileName);
    return { name, kind, file, doc, declaration: declarationText(statement, declaration, source) };
  }
}

const moduleFile = (base: string): string =>
  [`${base}.ts`, path.join(base, 'index.ts'), `${base}.d.ts`].find((file) => fs.existsSync(file)) ?? `${base}.ts`;

const isExported = (statement: TypeScript.Statement): boolean =>
  ts.canHaveModifiers(statement) && (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);

function declarationsOf(source: TypeScript.SourceFile): Map<string, Declared> {
  const found = new Map<string, Declared>();
  const add = (name: string, declared: Declared): void => { if (!found.has(name)) found.set(name, declared); };
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement)) {
      for (const declaration of statement.declarationList.declarations) {
        if (ts.isIdentifier(declaration.name)) add(declaration.name.text, { statement, declaration, source });
      }
    } else if ((ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement)
      || ts.isTypeAliasDeclaration(statement) || ts.isEnumDeclaration(statement) || ts.isModuleDeclaration(statement)) && statement.name) {
      add(statement.name.text, { statement, source });
    }
  }
  return found;
}

/** A docstring without its stars; tags become lines of a list. */
function docOf(node: TypeScript.Node): string {
  const blocks = (node as unknown as { jsDoc?: TypeScript.JSDoc[] }).jsDoc ?? [], block = blocks.at(-1);
  if (!block) return '';
  const lines = block.getText().replace(/^\/\*\*|\*\/$/g, '').split('\n').map((line) => line.replace(/^\s*\* ?/, '').trimEnd());
  return lines.join('\n').replace(/\{@link (\w+)\}/g, '`$1`').replace(/^@(\w+)/gm, '- *$1*').replace(/^\n+|\n+$/g, '').trim();
}

/** Members that are nobody else's business. */
const hidden = (member: TypeScript.ClassElement): boolean => ts.canHaveModifiers(member)
  && (ts.getModifiers(member) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword || kind === ts.SyntaxKind.ProtectedKeyword);

/** From the start of a declaration to its body. */
function headOf(node: TypeScript.Node & { body?: TypeScript.Node }, source: TypeScript.SourceFile): string {
  return source.text.slice(node.getStart(source), node.body?.getStart(source) ?? node.getEnd()).trim();
}

function declarationText(
  statement: TypeScript.Statement, declaration: TypeScript.VariableDeclaration | undefined, source: TypeScript.SourceFile,
): string {
  if (ts.isFunctionDeclaration(statement)) return headOf(statement, source).replace(/^export /, '');
  if (ts.isClassDeclaration(statement)) {
    const members = statement.members.filter((member) => !hidden(member)).map((member) => {
      if (!ts.isPropertyDeclaration(member)) return headOf(member as TypeScript.MethodDeclaration, source);
      const end = member.initializer?.getFullStart() ?? member.getEnd();
      return source.text.slice(member.getStart(source), end).replace(/\s*=?\s*$/, '').replace(/;$/, '');
    });
    const head = source.text.slice(statement.getStart(source), statement.members.pos).replace(/^export /, '').trim();
    return [head, ...members.map((member) => `  ${member};`), '}'].join('\n');
  }
  if (declaration) {
    const { initializer, type, name } = declaration;
    const arrow = initializer && ts.isArrowFunction(initializer) ? headOf(initializer, source) : undefined;
    const value = arrow ? ` = ${arrow.replace(/\s*=>$/, '')} => …` : '';
    return `const ${name.getText(source)}${type ? `: ${type.getText(source)}` : ''}${value}`;
  }
  return statement.getText(source).replace(/^export /, '');
}

const MADE = '<!-- Made by scripts/docs.ts from the source: npm run docs. -->';

/** A room's page. */
export function roomPage(room: string, what: string, entries: readonly ApiEntry[]): string {
  const parts = entries.map(({ name, kind, file, doc, declaration }) =>
    `## ${name}\n\n${doc ? `${doc}\n\n` : ''}\`\`\`ts\n${declaration}\n\`\`\`\n\n${kind} in [lib/${file}](../../lib/${file})\n`);
  return `# lib/${room}\n\n${MADE}\n\n${what}. [All rooms](../api.md)\n\n${parts.join('\n')}`;
}

/** The page that lists all names. */
export function apiIndex(rooms: readonly { room: string; what: string; entries: readonly ApiEntry[] }[]): string {
  const parts = rooms.map(({ room, what, entries }) => {
    const names = entries.map(({ name }) => `[${name}](api/${room}.md#${name.toLowerCase()})`);
    return `## [lib/${room}](api/${room}.md)\n\n${what}\n\n${names.join(' · ')}\n`;
  });
  return `# What the library exports\n\n${MADE}\n\n`
    + `All of it by \`import { … } from 'captioning'\`. How the rooms lie: [architecture.md](architecture.md).\n\n${parts.join('\n')}`;
}
