/** The page of `captioning serve`: one file that asks nothing of the network but its own server. */
import { createHash } from 'node:crypto';
import { escapeHtml } from '../notebook/display';
import { formatMegabytes } from './request-body';

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#767676, #999) }
:root { --accent: light-dark(#0b57d0, #a8c7fa); --bad: light-dark(#b3261e, #f2b8b5) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 } header p { margin: .2rem 0 1.2rem; opacity: .8 }
#drop { display: block; border: 2px dashed var(--line); border-radius: .6rem; padding: 1.6rem; text-align: center; cursor: pointer }
#drop:focus-within, #drop.over { border-color: var(--accent); outline: 2px solid var(--accent); outline-offset: 2px }
#drop b { display: block; margin-bottom: .3rem }
.row { display: flex; gap: 1rem; align-items: center; margin: 1rem 0; flex-wrap: wrap }
select { font: inherit; padding: .2rem .4rem }
figure { margin: 1.2rem 0 } figure img { max-width: 100%; max-height: 60vh; border-radius: .4rem; display: block }
figcaption { margin-top: .8rem; min-height: 4rem }
#text { font-size: 1.3rem; margin: 0; overflow-wrap: anywhere } #text.bad { color: var(--bad); font-size: 1rem }
#details { margin: .3rem 0 0; opacity: .8; font-variant-numeric: tabular-nums }
[hidden] { display: none !important }`;

/** Captions and messages reach the page by textContent alone. */
const SCRIPT = `'use strict';
const at = (id) => document.getElementById(id);
const picture = at('picture'), beams = at('beams'), preview = at('preview'), text = at('text'), details = at('details'), drop = at('drop');
const most = Number(picture.dataset.most);
let file, address, running;

const say = (message, more, bad) => {
  text.textContent = message;
  details.textContent = more || '';
  text.classList.toggle('bad', Boolean(bad));
};

const show = (chosen) => {
  if (!chosen) return;
  file = chosen;
  if (address) URL.revokeObjectURL(address);
  preview.hidden = false;
  preview.alt = 'The picture to be captioned';
  preview.src = address = URL.createObjectURL(file);
  caption();
};

async function caption() {
  if (!file) return;
  if (running) running.abort();
  const mine = running = new AbortController();
  if (file.size > most) return say('The file is too large: choose one of at most ' + picture.dataset.mostText + '.', '', true);
  say('Looking …');
  try {
    const query = beams.value ? '?numBeams=' + beams.value : '';
    const answer = await fetch('caption' + query, {
      method: 'POST', body: file, signal: mine.signal, headers: { 'Content-Type': 'application/octet-stream' },
    });
    const result = await answer.json();
    if (mine !== running) return;
    if (!answer.ok) return say(result.error, '', true);
    preview.alt = result.text;
    const number = (value) => Number(value).toFixed(3).replace('-', '\\u2212');
    const searched = result.numBeams ? ' · ' + (result.numBeams === 1 ? 'greedy' : result.numBeams + ' beams') : '';
    say(result.text || '(nothing)', 'score ' + number(result.score) + ' · log-probability ' + number(result.logProbability)
      + ' of ' + result.words.length + ' tokens' + searched + ' · ' + result.seconds.toFixed(2) + ' s');
  } catch (error) {
    if (mine === running) say('The server does not answer: is it still running?', String(error.message || error), true);
  }
}

picture.addEventListener('change', () => { show(picture.files[0]); picture.value = ''; });
beams.addEventListener('change', caption);
preview.addEventListener('error', () => { preview.hidden = true; });
for (const type of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', type === 'dragenter' || type === 'dragover');
    if (type === 'drop') show(event.dataTransfer.files[0]);
  });
}
document.addEventListener('paste', (event) => show(event.clipboardData.files[0]));`;

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The page's Content-Security-Policy: its own script and style, pictures out of memory, requests to its own server. */
export const PAGE_POLICY = [
  'default-src \'none\'', `script-src ${digest(SCRIPT)}`, `style-src ${digest(STYLE)}`, 'img-src blob: data:', 'connect-src \'self\'',
  'base-uri \'none\'', 'form-action \'none\'', 'frame-ancestors \'none\'',
].join('; ');

export interface CaptionPageOptions {
  /** What is searched with unless the reader chooses. */
  numBeams?: number;
  maxBytes: number;
  maxBeams: number;
}

/** @param name what the captioner is called; shown as text */
export function captionPage(name: string, { numBeams, maxBytes, maxBeams }: CaptionPageOptions): string {
  const standard = numBeams === undefined ? 'the captioner’s own' : numBeams === 1 ? 'greedy' : `${numBeams} beams`;
  const choices = [1, 2, 3, 5, 10].filter((beams) => beams <= maxBeams && beams !== numBeams)
    .map((beams) => `<option value="${beams}">${beams === 1 ? '1 (greedy)' : beams}</option>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Captions</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><header><h1>What is in the picture?</h1>
<p>Captioner: ${escapeHtml(name)}. Pictures stay on the machine that serves this page, and are not kept.</p></header>
<main>
<label id="drop" for="picture"><b>Drop a picture here, paste one, or choose a file</b>
<input id="picture" type="file" accept="image/*" data-most="${maxBytes}" data-most-text="${formatMegabytes(maxBytes)}"></label>
<div class="row"><label for="beams">Beams</label>
<select id="beams"><option value="">${standard}</option>${choices.join('')}</select></div>
<figure><img id="preview" alt="" hidden>
<figcaption role="status" aria-live="polite"><p id="text"></p><p id="details"></p></figcaption></figure>
</main><script>${SCRIPT}</script></body></html>
`;
}
