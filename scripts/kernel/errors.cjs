// Errors as a reader wants them: name, message, the line of the cell, and a stack in terms of cells and TypeScript sources.
const fs = require('node:fs');
const { SourceMap } = require('node:module');
const path = require('node:path');
const { format, inspect } = require('node:util');
const { originalPosition, sourceLine } = require('./compiler.cjs');

const root = path.resolve(__dirname, '..', '..');
const maps = new Map();

/** The source map beside a compiled file of the library; null where there is none. */
function mapOf(file) {
  if (!maps.has(file)) {
    let map = null;
    try { map = new SourceMap(JSON.parse(fs.readFileSync(`${file}.map`, 'utf8'))); } catch { /* not compiled from TypeScript, or rebuilt meanwhile */ }
    maps.set(file, map);
  }
  return maps.get(file);
}

/** Forgets maps of files that a new build replaced; called before each cell. */
const forgetMaps = () => maps.clear();

const CELL = /(In \[\d+\]):(\d+):(\d+)/;
const FILE = /((?:file:\/\/)?(?:\/|[A-Za-z]:\\)[^():]*\.[cm]?js):(\d+):(\d+)/;

/** One line of a stack in terms of sources, or null if it says nothing to the reader (node's and tslab's inside). */
function frame(line) {
  if (/\bnode:|[\\/]tslab[\\/]dist[\\/]|[\\/]scripts[\\/]kernel[\\/]/.test(line)) return null;
  const cell = CELL.exec(line);
  if (cell) {
    const place = originalPosition(cell[1], Number(cell[2]), Number(cell[3]));
    if (place?.wrapper) return null;
    return line.replace(/\bProxy\./, '').replace(CELL, place ? `${cell[1]}:${place.line}:${place.column}` : cell[1]);
  }
  const file = FILE.exec(line);
  if (!file) return line;
  line = line.replace(/\bProxy\./, '');
  const name = file[1].replace(/^file:\/\//, '');
  const entry = mapOf(name)?.findEntry(Number(file[2]) - 1, Number(file[3]) - 1);
  if (entry?.originalSource === undefined) return line.replace(`${root}${path.sep}`, '');
  const source = path.relative(root, path.resolve(path.dirname(name), entry.originalSource.replace(/^file:\/\//, '')));
  return line.replace(FILE, `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`);
}

/** The frames of a stack, the message left out, cut where tslab's own begin. */
function frames(error) {
  const lines = String(error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const end = lines.findIndex((line) => /[\\/]tslab[\\/]dist[\\/]|[\\/]scripts[\\/]kernel[\\/]/.test(line));
  return (end < 0 ? lines : lines.slice(0, end)).map(frame).filter((line) => line !== null);
}

/** The line of the cell where it happened, with a mark below the column. */
function excerpt(name, line, column) {
  const source = sourceLine(name, line);
  return source === undefined ? [] : [`${name}, line ${line}:`, `    ${source}`, `    ${' '.repeat(Math.max(0, column - 1))}^`];
}

/** What Jupyter's "error" message wants for anything that was thrown. */
function describeThrown(error) {
  const isError = error instanceof Error || typeof error?.stack === 'string';
  if (!isError) {
    const text = typeof error === 'string' ? error : inspect(error, { depth: 2, breakLength: 120 });
    return { ename: 'Error', evalue: text, traceback: [`Error: ${text}`, '    (thrown as a value that is no Error, so there is no stack)'] };
  }
  if (error.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') return { ename: 'Interrupted', evalue: 'stopped by the stop button', traceback: ['Interrupted: stopped by the stop button'] };
  const ename = String(error.name || 'Error');
  const lines = frames(error);
  const top = lines.map((line) => CELL.exec(line)).find(Boolean);
  const traceback = [...(top ? excerpt(top[1], Number(top[2]), Number(top[3])) : []), ...`${ename}: ${error.message}`.split('\n'), ...lines];
  for (const inner of Array.isArray(error.errors) ? error.errors.slice(0, 5) : []) traceback.push(...describeThrown(inner).traceback.map((line) => `  ${line}`));
  let cause = error.cause;
  for (let depth = 0; cause instanceof Error && depth < 5; depth++, cause = cause.cause) {
    traceback.push(...`Caused by ${cause.name}: ${cause.message}`.split('\n'), ...frames(cause));
  }
  return { ename, evalue: String(error.message), traceback };
}

const DIAGNOSTIC = '%s%d:%d - %s';

/** Collects what tslab reports about one cell: diagnostics of the compiler one by one, or the thrown value. */
class Failure {
  constructor(cell) {
    this.cell = cell;
    this.content = null;
    this.diagnostics = 0;
  }

  report(...args) {
    if (args[0] === DIAGNOSTIC) this.addDiagnostic(...args.slice(1));
    else this.content ??= args.length === 1 ? describeThrown(args[0]) : { ename: 'Error', evalue: format(...args), traceback: [format(...args)] };
  }

  addDiagnostic(file, line, column, message) {
    const place = file ? `${file.trim()}, line ${line}` : `${this.cell}, line ${line}, column ${column}`;
    this.content ??= { ename: 'TypeScriptError', evalue: message, traceback: [] };
    if (this.diagnostics++ === 10) this.content.traceback.push('… and more');
    if (this.diagnostics > 10) return;
    this.content.traceback.push(`TypeScriptError: ${message}`, ...(file ? [`    at ${place}`] : excerpt(this.cell, line, column)));
  }
}

module.exports = { Failure, describeThrown, forgetMaps };
