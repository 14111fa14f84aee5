// What is said while a cell is being written: the Tab key's completions and the types and docs of Shift+Tab.

/** Jupyter counts the cursor in characters, JavaScript in UTF-16 units: they part behind the first emoji. */
const unitsOf = (code, characters) => [...code].slice(0, characters).join('').length;
const charactersOf = (code, units) => [...code.slice(0, units)].length;

/** Where the name ends of the function between whose parentheses this position lies; -1 if it lies in none. */
function calleeEnd(code, position) {
  let depth = 0;
  for (let i = position - 1; i >= 0; i--) {
    if (')]}'.includes(code[i])) depth++;
    else if ('([{'.includes(code[i])) {
      const called = code[i] === '(' && /[\w$](?=\s*$)/.exec(code.slice(0, i));
      if (depth > 0) depth--;
      else if (called) return called.index;
    }
  }
  return -1;
}

const textOf = (parts) => (parts ?? []).map(({ text }) => text).join('');

/** The type, the doc comment, and its tags with their names (tslab leaves those out). */
function describe({ displayParts, documentation, tags = [] }) {
  const lines = tags.filter(({ text }) => textOf(text) !== '').map(({ name, text }) => `@${name} ${textOf(text)}`);
  return [textOf(displayParts), [textOf(documentation), ...lines].filter(Boolean).join('\n')].filter(Boolean).join('\n\n');
}

function install(load) {
  const { prototype } = load('./dist/jupyter.js').JupyterHandlerImpl;

  prototype.handleInspect = function inspect({ code, cursor_pos: cursor }) {
    const position = unitsOf(code, cursor);
    // Between a call's parentheses there may be nothing to tell of but the function.
    const places = [position, calleeEnd(code, position)].filter((place) => place >= 0);
    for (const place of places) {
      const info = this.executor.inspect(code, place);
      if (info) return { status: 'ok', found: true, data: { 'text/plain': describe(info) }, metadata: {} };
    }
    return { status: 'ok', found: false, data: {}, metadata: {} };
  };

  prototype.handleComplete = function complete({ code, cursor_pos: cursor }) {
    const { start, end, candidates } = this.executor.complete(code, unitsOf(code, cursor));
    const place = { cursor_start: charactersOf(code, start), cursor_end: charactersOf(code, end) };
    return { status: 'ok', matches: candidates, ...place, metadata: {} };
  };
}

module.exports = { install };
