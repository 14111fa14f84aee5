/** Exported pages of hostile notebooks. They are made by .venv's nbconvert (npm run setup). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tableBundle } from '../../lib/notebook/tables';
import { python, root } from '../../scripts/notebooks/environment';
import { exportHtml } from '../../scripts/notebooks/html';

/** Lists a page's elements with their attributes, and the text within scripts. */
const LIST = `
import html.parser, json, sys
found = []
class Lister(html.parser.HTMLParser):
    def handle_starttag(self, tag, attributes): found.append({'tag': tag, 'attributes': dict(attributes), 'text': ''})
    def handle_endtag(self, tag):
        if tag == 'script': found.append({'tag': '#text', 'attributes': {}, 'text': ''})
    def handle_data(self, data): found and found[-1].update(text=found[-1]['text'] + data)
Lister().feed(open(sys.argv[1], encoding='utf-8').read())
json.dump(found, sys.stdout)`;

interface Element { tag: string; attributes: Record<string, string | null>; text: string }

const elements = (file: string): Element[] =>
  JSON.parse(execFileSync(python, ['-c', LIST, file], { encoding: 'utf8', maxBuffer: 2 ** 28 })) as Element[];

const policyOf = (page: readonly Element[]): string =>
  page.find(({ tag, attributes }) => tag === 'meta' && attributes['http-equiv'])!.attributes.content!;

/** No element, attribute or address that acts, but for scripts that the page's own policy knows. */
function harmless(page: readonly Element[], scripts: number): void {
  const policy = policyOf(page), own = page.filter(({ tag }) => tag === 'script');
  assert.equal(own.length, scripts);
  assert.doesNotMatch(policy, /script-src[^;]*unsafe/);
  for (const { text } of own) {
    const hash = createHash('sha256').update(text).digest('base64');
    assert.ok(policy.includes(`'sha256-${hash}'`), `a script that is not of the policy: ${text.slice(0, 80)}`);
  }
  for (const { tag, attributes } of page) {
    const text = `<${tag} ${JSON.stringify(attributes).slice(0, 200)}>`;
    assert.ok(!['iframe', 'object', 'embed', 'form', 'base', 'link', 'set', 'animate'].includes(tag), text);
    assert.ok(tag !== 'meta' || attributes['http-equiv'] === undefined || attributes['http-equiv'] === 'Content-Security-Policy', text);
    for (const [name, value] of Object.entries(attributes)) {
      assert.doesNotMatch(name, /^on|^srcdoc$/, text);
      if (['href', 'src', 'xlink:href'].includes(name)) {
        assert.match(value ?? '', /^(https:\/\/example\.org\/|data:image\/|(?![a-z][a-z0-9+.-]*:))/i, text);
      }
    }
  }
}

const ALERT = '<script>alert(1)</script>', BREAK = '"><img src=x onerror=alert(1)>';
const markdown = (source: string) => ({ cell_type: 'markdown', metadata: { tags: [BREAK] }, source });
const shown = (data: Record<string, unknown>, metadata = {}) => ({ output_type: 'display_data', data, metadata });
const code = (source: string, ...outputs: object[]) =>
  ({ cell_type: 'code', metadata: { tags: [BREAK, ALERT] }, source, outputs, execution_count: 1 });
const notebook = (cells: object[]) => JSON.stringify({
  cells: cells.map((cell, i) => ({ id: `c${i}`, ...cell })), nbformat: 4, nbformat_minor: 5,
  metadata: { kernelspec: { display_name: ALERT, name: 'tslab', language: 'typescript' }, title: ALERT,
    widgets: { 'application/vnd.jupyter.widget-state+json': { state: { a: `</script>${ALERT}` } } } },
});

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const figure = {
  data: [{ type: 'bar', name: `</script>${ALERT}`, x: ['<!--<script>', '\u2028', '\ud800'], y: [1, 2, 3] }],
  layout: { title: { text: `</ScRiPt >${ALERT}` } },
};
const table = tableBundle([{ file: `${BREAK}.jpg`, caption: ALERT, said: '\'onmouseover=\'alert(1)' }],
  { caption: '<b onclick=alert(1)>' });

const RUNS = 'javascript:alert(1)', REFRESH = '<meta http-equiv="refresh" content="0;url=https://example.com">';
const hostile = notebook([
  markdown(`# Results </title>${ALERT} "of" <b>bold</b>\n\nand more`),
  markdown(`[a](${RUNS}) [b](JaVaScRiPt&colon;alert(1)) <a href=" java\nscript:alert(1)">c</a> [d](data:text/html,${ALERT})`),
  markdown(`[good](https://example.org/page) [next](02-vit-gpt2.ipynb) <${RUNS}> ![x](${RUNS})`),
  markdown(`${ALERT}\n\n${BREAK}\n\n<svg onload=alert(1)><a xlink:href="${RUNS}">x</a><set attributeName=href to=${RUNS}></svg>`),
  markdown(`${REFRESH}<base href="https://example.com"><iframe srcdoc="${ALERT}"></iframe>`),
  markdown(`<form action="https://example.com"><button formaction="${RUNS}">x</button></form>`),
  markdown(`<!-- --!>${REFRESH} -->\n\n<svg><style>${REFRESH}</style></svg>`),
  markdown(`$</math>${ALERT}$ and $$x^2 </annotation>${BREAK}$$\n\n\`${ALERT}\``),
  markdown(`\`\`\`mermaid\ngraph TD; A[${BREAK}]\n\`\`\``),
  code(`const a = '${ALERT}'; // ${BREAK}`,
    { output_type: 'stream', name: 'stdout', text: `a caption: ${ALERT}\n\x1b[31m${BREAK}\x1b[0m\n` },
    { output_type: 'error', ename: ALERT, evalue: BREAK, traceback: [`\x1b[31m${ALERT}`, BREAK] },
    shown({ 'text/plain': `${ALERT} \ud800` }), shown(table)),
  code('2', shown({ 'application/vnd.plotly.v1+json': figure, 'text/plain': `[${BREAK}]` })),
  code('3', shown({ 'text/html': `${ALERT}<p onmouseover="alert(1)">kept</p>` }), shown({ 'application/javascript': 'alert(1)' }),
    shown({ 'text/markdown': `[x](${RUNS}) ${ALERT}` }), shown({ 'text/latex': `$</span>${ALERT}$` })),
  code('4', shown({ 'image/png': `${PIXEL}" onerror="alert(1)`, 'text/plain': BREAK }),
    shown({ 'image/jpeg': `${PIXEL}" onerror="alert(1)` }, { width: '1 onerror=alert(1)', height: `1>${ALERT}` }),
    shown({ 'image/svg+xml': `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">${ALERT}</svg>` }),
    shown({ 'application/vnd.jupyter.widget-view+json': { model_id: `</script>${ALERT}` } })),
]);

describe('exported pages', function suite() {
  this.timeout(120_000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'html-test-')), pages = path.join(folder, 'pages');
  const name = `ev"il' ${ALERT.replace('/', '')} ${BREAK} %41&amp;`;
  before(async function () {
    if (!fs.existsSync(python)) return this.skip();
    const files = [path.join(folder, `${name}.ipynb`), path.join(folder, '00-start-here.ipynb')];
    for (const file of files) fs.writeFileSync(file, hostile);
    const log = console.log;
    console.log = () => {};
    try { await exportHtml(files, pages); } finally { console.log = log; }
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  it('hold nothing of a hostile notebook that acts, and their charts', () => {
    const page = elements(path.join(pages, `${name}.html`));
    harmless(page, 2);
    assert.equal(page.filter(({ attributes }) => attributes.class === 'chart').length, 1);
    assert.equal(page.find(({ tag }) => tag === 'title')!.text.trim(), `Results </title>${ALERT} "of" <b>bold</b>`);
    const all = page.map(({ text }) => text).join(' ');
    for (const text of [`a caption: ${ALERT}`, `${BREAK}.jpg`, 'kept']) assert.ok(all.includes(text), `${text} is shown`);
    assert.ok(page.some(({ attributes }) => attributes.href === 'https://example.org/page'), 'harmless links stay');
  });

  it('for notebooks of strangers have no script at all', () => {
    const still = path.join(folder, 'still');
    execFileSync(python, [path.join(root, 'scripts/notebooks/export.py'), '--still', still, '-', path.join(folder, `${name}.ipynb`)]);
    const page = elements(path.join(still, `${name}.html`));
    harmless(page, 0);
    assert.match(policyOf(page), /script-src 'none'/);
  });

  it('are listed with titles and names as text', async () => {
    const file = path.join(pages, 'index.html'), page = elements(file), links = page.filter(({ tag }) => tag === 'a');
    // Both titles, and the page that newcomers begin with once more.
    assert.equal(links.length, 3);
    for (const { text } of links) assert.equal(text.trim().split('\n')[0], `Results </title>${ALERT} "of" <b>bold</b>`);
    assert.ok(page.some(({ tag, text }) => tag === 'small' && text.trim() === name), 'its name is shown as it is');
    for (const { tag, attributes } of page) {
      assert.ok(['html', 'head', 'meta', 'title', 'style', 'body', 'h1', 'p', 'b', 'a', 'small', 'ul', 'li'].includes(tag), tag);
      assert.doesNotMatch(Object.keys(attributes).join(' '), /\bon|http-equiv/);
      if (attributes.href !== undefined) assert.ok(fs.existsSync(path.join(pages, decodeURIComponent(attributes.href!))), attributes.href!);
    }
    // Titles of pages that are there already are read from them.
    const before = fs.readFileSync(file, 'utf8'), log = console.log;
    console.log = () => {};
    try { await exportHtml([path.join(folder, '00-start-here.ipynb')], pages); } finally { console.log = log; }
    assert.equal(fs.readFileSync(file, 'utf8'), before);
  });

  it('would be found out', () => {
    const policy = { tag: 'meta', attributes: { 'http-equiv': 'Content-Security-Policy', content: 'script-src \'none\'' }, text: '' };
    for (const [tag, attributes] of [['script', {}], ['p', { onclick: 'x' }], ['a', { href: 'javascript:x' }], ['iframe', {}],
      ['meta', { 'http-equiv': 'refresh' }]] as [string, Record<string, string>][]) {
      assert.throws(() => harmless([policy, { tag, attributes, text: 'x' }], 0), assert.AssertionError, tag);
    }
  });
});
