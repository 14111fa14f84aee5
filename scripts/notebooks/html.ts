/** Stand-alone pages of notebooks, and a page that lists them. */
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { escapeHtml } from '../../lib/notebook/display';
import { buildFolder, findNotebooks, NotebookError, root, startPython, writeWhole } from './environment';

interface Page { name: string; title: string; charts: number }

export const htmlFolder = path.join(buildFolder, 'html');

function indexPage(pages: readonly Page[]): string {
  const linkTo = ({ name, title }: Page): string =>
    `<a href="${encodeURIComponent(name)}.html">${escapeHtml(title)}</a> <small>${escapeHtml(name)}</small>`;
  const items = pages.map((page) => `<li>${linkTo(page)}</li>`);
  const leads = [['New here', '-start-here'], ['All results at a glance', '-leaderboard']].flatMap(([lead, ending]) => {
    const page = pages.find(({ name }) => name.endsWith(ending));
    return page ? [`<p><b>${lead}:</b> ${linkTo(page)}</p>`] : [];
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Notebooks</title>
<style>body{font:16px/1.6 sans-serif;max-width:50em;margin:3em auto;padding:0 1em;color:#222}small{color:#666}a{color:#0072b2}
@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}small{color:#999}a{color:#56b4e9}}</style></head>
<body><h1>Notebooks</h1>${leads.join('')}<ul>
${items.join('\n')}
</ul></body></html>
`;
}

/** Titles of pages already there, so that exporting one notebook does not drop the others from the list. */
function existingPages(folder: string, fresh: readonly Page[]): Page[] {
  const names = new Set(fresh.map((page) => page.name));
  return fs.readdirSync(folder).filter((file) => file.endsWith('.html') && file !== 'index.html' && !names.has(file.slice(0, -5))).map((file) => {
    const title = /<title>([^<]*)<\/title>/.exec(fs.readFileSync(path.join(folder, file), 'utf8'))?.[1] ?? file;
    const name = file.slice(0, -5);
    return { name, charts: 0, title: title.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#x27;/g, '\'').replace(/&amp;/g, '&') };
  });
}

/** Writes the pages of the named notebooks (all by default). */
export async function exportHtml(names: readonly string[], folder = htmlFolder): Promise<Page[]> {
  const files = findNotebooks(names);
  const plotly = require.resolve('plotly.js-dist-min/plotly.min.js', { paths: [root] });
  const child = startPython([path.join(__dirname, 'export.py'), folder, plotly, ...files], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => { complaints = (complaints + text).slice(-4000); });
  const closed = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const pages: Page[] = [];
  for await (const line of readline.createInterface({ input: child.stdout! })) {
    const page = JSON.parse(line) as Page;
    pages.push(page);
    console.log(`${path.relative(root, path.join(folder, `${page.name}.html`))}: ${page.charts} interactive charts`);
  }
  if (await closed !== 0) throw new NotebookError(`The HTML export failed:\n${complaints.trim()}`);
  const all = [...pages, ...existingPages(folder, pages)].sort((a, b) => (a.name < b.name ? -1 : 1));
  writeWhole(path.join(folder, 'index.html'), indexPage(all));
  console.log(`${path.relative(root, path.join(folder, 'index.html'))}: list of ${all.length}`);
  return pages;
}
