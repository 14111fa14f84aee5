// Running a cell: what it leaves behind when it fails, what is shown of its last value, and how the stop button reaches it.
const compiler = require('./compiler.cjs');
const { Failure, describeThrown, forgetMaps } = require('./errors.cjs');
const { followLibrary } = require('./library.cjs');

const DISPLAY = Symbol.for('Jupyter.display');
const LINK = Symbol.for('captioning.kernel');
/** Source that stands for "take these declarations over"; see keepDeclarations. */
const KEEP = '/* declarations of the failed cell */';

/** The cell that runs, or null: { failure, abandon(reason) }. */
let current = null;
let lastFailure = null;

class Interrupted extends Error {
  constructor() {
    super('stopped by the stop button; work that this cell started may go on in the background');
    this.name = 'Interrupted';
    this.stack = '';
  }
}

/**
 * What the library sees of the kernel (lib/notebook/display.ts): a way to send outputs, and the handlers that `interruptible` puts
 * between the stop button and the cell.
 */
function publishLink(jupyter) {
  const link = {
    writeDisplay: (content, update) => jupyter.lastWriteDisplayData?.(content, update),
    interruptHandlers: new Set(),
    describe: undefined,
  };
  globalThis[LINK] = link;
  return link;
}

/** Shows the last value of a cell: what it says of itself, what the library knows of it, or its text. */
async function showValue(value, jupyter, link) {
  const settled = typeof value?.then === 'function' ? await value : value;
  if (settled === undefined || settled === null) return;
  const data = typeof settled[DISPLAY] === 'function' ? await settled[DISPLAY]() : await link.describe?.(settled);
  if (data) jupyter.lastWriteDisplayData?.({ data, metadata: {}, transient: {} }, false);
  else console.log(settled);
}

/** The declarations of a failed cell whose values exist. */
function survivors(ts, declarations, values) {
  const file = ts.createSourceFile('declarations.d.ts', declarations, ts.ScriptTarget.Latest, true);
  const exists = (name) => name !== undefined && values[name.text] !== undefined;
  return file.statements.map((statement) => {
    if (ts.isVariableStatement(statement)) {
      const kind = statement.declarationList.flags & ts.NodeFlags.Const ? 'const' : 'let';
      return statement.declarationList.declarations.filter((d) => exists(d.name)).map((d) => `declare ${kind} ${d.getText(file)};`).join('\n');
    }
    if ((ts.isClassDeclaration(statement) || ts.isFunctionDeclaration(statement)) && !exists(statement.name)) return '';
    if (ts.isImportDeclaration(statement)) {
      const clause = statement.importClause;
      const bindings = clause?.namedBindings;
      const names = [clause?.name, ...(bindings ? (ts.isNamespaceImport(bindings) ? [bindings.name] : bindings.elements.map((e) => e.name)) : [])];
      if (!names.some(exists)) return '';
    }
    return statement.getText(file);
  }).join('\n');
}

function install(load) {
  const executor = load('./dist/executor.js');
  const jupyter = load('./dist/jupyter.js');
  const ts = load('@tslab/typescript-for-tslab');
  const link = publishLink(jupyter);
  const refreshLibrary = followLibrary();
  const { createExecutor } = executor;

  executor.createExecutor = (root, converters, output) => {
    let pendingDisplay = null;
    const ex = createExecutor(root, converters, {
      log: (value) => { pendingDisplay = showValue(value, jupyter, link); },
      error: (...args) => current?.failure.report(...args) ?? (current ? undefined : output.error(...args)),
    });

    let converted = null, kept = null;
    const { node } = converters;
    const { convert } = node;
    node.convert = (previous, source) => {
      if (source === KEEP) return { diagnostics: [], declOutput: kept };
      converted = convert(previous, source);
      return converted;
    };
    /** tslab takes declarations over from a cell that has no code; so it is handed one. */
    async function keepDeclarations() {
      if (!converted?.declOutput || converted.diagnostics.length > 0) return;
      kept = survivors(ts, converted.declOutput, ex.locals);
      await execute(KEEP);
    }

    const { execute, interrupt } = ex;
    ex.execute = async (source) => {
      const failure = new Failure(`In [${cellNumber}]`);
      let abandon;
      const abandoned = new Promise((_, reject) => { abandon = reject; });
      abandoned.catch(() => {});
      current = { failure, abandon: (reason) => { failure.report(reason); interrupt(); abandon(reason); } };
      forgetMaps();
      converted = null;
      pendingDisplay = null;
      let ok = false;
      try {
        const said = refreshLibrary(source);
        if (said) {
          console.log(said);
          // TypeScript's watchers of the declarations have their turn.
          await new Promise((resolve) => { setTimeout(resolve, 1000); });
        }
        ok = await execute(compiler.begin(failure.cell, source));
        // oxlint-disable-next-line typescript/await-thenable -- a promise by now, or null
        if (ok && pendingDisplay) await Promise.race([pendingDisplay, abandoned]);
        // Promises rejected by the last statements are noticed in the turn after.
        await new Promise((resolve) => { setImmediate(resolve); });
      } catch (error) {
        failure.report(error);
      }
      ok &&= failure.content === null;
      if (!ok) await keepDeclarations().catch(() => {});
      lastFailure = ok ? null : failure.content;
      current = null;
      return ok;
    };

    // The first press asks the work that `interruptible` runs to end; a second one, or a cell without such work, is abandoned.
    const asked = new WeakSet();
    ex.interrupt = () => {
      const fresh = [...link.interruptHandlers].filter((handler) => !asked.has(handler));
      for (const handler of fresh) {
        asked.add(handler);
        handler();
      }
      if (fresh.length === 0) current?.abandon(new Interrupted());
    };
    return ex;
  };
}

let cellNumber = 0;

/** A promise rejected or an error thrown with nobody to catch it fails the cell that runs; between cells it is printed. */
function catchStrayErrors() {
  for (const event of ['unhandledRejection', 'uncaughtException']) {
    process.removeAllListeners(event);
    process.on(event, (reason) => {
      if (current) current.abandon(reason);
      else console.error(['Error outside of a running cell:', ...describeThrown(reason).traceback].join('\n'));
    });
  }
}

module.exports = {
  install,
  catchStrayErrors,
  setCellNumber: (number) => { cellNumber = number; },
  takeFailure: () => { const failure = lastFailure; lastFailure = null; return failure; },
};
