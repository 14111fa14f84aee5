// tslab's use of TypeScript: file watching, top-level await, and maps from generated code back to the cell.
const { SourceMap } = require('node:module');
const vm = require('node:vm');

const inlineMap = /\n?\/\/# sourceMappingURL=data:application\/json[^,]*;base64,([A-Za-z0-9+/=]+)\s*$/;

/** Cells by the name their code runs under: the name, the source, and the two maps that lead back to it. */
const compiled = new Map();
let running = { name: 'cell', source: '' };
let lastOutput = null;

/** A cell that reads only `await (x)` or `for await` is not seen as asynchronous; a plain await in front makes it so. */
const parenthesizedAwait = /^(?!\s*\/\*\*).*(\bawait\s*\(|\bfor\s+await\b)/s;
const AWAIT = 'await null; ';

/** Says which cell is compiled next; returns the source that tslab shall see. */
function begin(name, source) {
  const prefix = parenthesizedAwait.test(source) ? AWAIT : '';
  running = { name, source, prefix: prefix.length };
  lastOutput = null;
  return prefix + source;
}

/** Line and column (from 1) in the cell for a place in its generated code, or that it is tslab's wrapper; null where nothing is known. */
function originalPosition(name, line, column) {
  const cell = compiled.get(name);
  if (!cell) return null;
  if (line > cell.lines) return { wrapper: true };
  const middle = cell.second.findEntry(line - 1, column - 1);
  if (middle.originalLine === undefined) return null;
  const first = cell.first.findEntry(middle.originalLine, middle.originalColumn);
  if (first.originalLine === undefined) return null;
  // tslab puts one line ("export {};") before the cell, and the plain await stands in the cell's first line.
  const original = { line: first.originalLine, column: first.originalColumn + 1 };
  if (original.line === 1) original.column = Math.max(1, original.column - cell.prefix);
  return original.line < 1 ? null : original;
}

const sourceLine = (name, line) => (compiled.get(name) ?? (running.name === name ? running : undefined))?.source.split('\n')[line - 1];

/**
 * In `{ name }`, tslab asks for the symbol of the property and so misses a variable of an earlier cell: the name stays as it is and is
 * not defined when the cell runs. Here the checker answers with the variable, and the shorthand is written out. Names of properties in
 * destructuring are left alone, which tslab takes for variables, too.
 */
function resolveShorthand(ts, patched) {
  const known = new WeakSet();
  const answerWithVariable = (checker) => {
    if (known.has(checker)) return checker;
    known.add(checker);
    const { getSymbolAtLocation } = checker;
    checker.getSymbolAtLocation = (node) => (node.parent && ts.isShorthandPropertyAssignment(node.parent) && node.parent.name === node
      ? checker.getShorthandAssignmentValueSymbol(node.parent) : getSymbolAtLocation(node));
    return checker;
  };
  const { createWatchCompilerHost } = patched;
  patched.createWatchCompilerHost = (...args) => {
    const host = createWatchCompilerHost(...args);
    const { createProgram } = host;
    host.createProgram = (...inputs) => {
      const builder = createProgram(...inputs);
      const program = builder.getProgram();
      const { getTypeChecker } = program;
      program.getTypeChecker = () => answerWithVariable(getTypeChecker());
      return builder;
    };
    return host;
  };
  patched.visitEachChild = (node, visitor, ...rest) => {
    if (node && ts.isShorthandPropertyAssignment(node) && visitor.name === 'wrapPrevIdentifier') {
      const value = visitor(node.name);
      if (value !== node.name) return ts.factory.createPropertyAssignment(ts.factory.createIdentifier(node.name.text), value);
    }
    // In `({ all: x }) => …`, `all` is a property's name, also where an earlier cell declares the property.
    if (node && ts.isBindingElement(node) && node.propertyName && visitor.name === 'wrapPrevIdentifier') {
      return ts.visitEachChild(node, (child) => (child === node.propertyName && ts.isIdentifier(child) ? child : visitor(child)), ...rest);
    }
    return ts.visitEachChild(node, visitor, ...rest);
  };
}

function install(load) {
  const id = load.resolve('@tslab/typescript-for-tslab');
  const ts = load('@tslab/typescript-for-tslab');

  // tslab gives the TypeScript watcher a fake setTimeout with one slot, and a directory event takes the slot for good. File
  // watchers, which notice a new build of the library, stay.
  ts.sys.watchDirectory = () => ({ close() {} });
  // A package.json that changes takes the same slot.
  const { watchFile } = ts.sys;
  ts.sys.watchFile = (file, ...rest) => (/[\\/]package\.json$/.test(file) ? { close() {} } : watchFile.call(ts.sys, file, ...rest));

  const patched = { ...ts }; // its own properties cannot be changed
  // TypeScript (cell) → ES module: ask for a map in the output. Of the installed @types only Node's: with mocha's, a misspelt name
  // that mocha also has (`before`, `it`) would pass the check.
  patched.createWatchCompilerHost = (files, options, ...rest) => ts.createWatchCompilerHost(files, { ...options, inlineSourceMap: true, types: ['node'] }, ...rest);
  resolveShorthand(ts, patched);
  // ES module → CommonJS: take that map out, make the second one, and keep both for the code about to run.
  patched.transpileModule = (input, options) => {
    const map = options.fileName === 'custom.js' ? inlineMap.exec(input) : null;
    if (!map) return ts.transpileModule(input, options);
    const result = ts.transpileModule(input.slice(0, map.index), { ...options, compilerOptions: { ...options.compilerOptions, sourceMap: true } });
    const outputText = result.outputText.replace(/\n?\/\/# sourceMappingURL=custom\.js\.map\s*$/, '');
    lastOutput = { text: outputText, first: map[1], second: result.sourceMapText };
    return { ...result, outputText };
  };
  require.cache[id].exports = patched;

  // The code of a cell runs under the cell's name, with columns counted from the code and not from tslab's wrapper.
  const { runInThisContext } = vm;
  vm.runInThisContext = function runCell(code, options) {
    const wrapper = /^\((async )?function\(exports, require\) \{ /.exec(code);
    if (!wrapper || !options?.breakOnSigint || !lastOutput || !code.startsWith(lastOutput.text, wrapper[0].length)) return runInThisContext.call(this, code, options);
    compiled.set(running.name, {
      ...running,
      lines: lastOutput.text.split('\n').length,
      first: new SourceMap(JSON.parse(Buffer.from(lastOutput.first, 'base64').toString('utf8'))),
      second: new SourceMap(JSON.parse(lastOutput.second)),
    });
    return runInThisContext.call(this, code, { ...options, filename: running.name, columnOffset: -wrapper[0].length });
  };
}

module.exports = { install, begin, originalPosition, sourceLine };
