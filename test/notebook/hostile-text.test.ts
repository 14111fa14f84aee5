import assert from 'node:assert/strict';
import { attentionBundle } from '../../lib/notebook/attention-grid';
import { barFigure, heatmapFigure, lineFigure } from '../../lib/notebook/charts';
import { showText, type MimeBundle } from '../../lib/notebook/display';
import { figureBundle } from '../../lib/notebook/figure';
import { imageGridBundle } from '../../lib/notebook/image-grid';
import { predictionBundle } from '../../lib/notebook/prediction-grid';
import { progress } from '../../lib/notebook/progress';
import { chartSvg } from '../../lib/notebook/static-chart';
import { tableBundle } from '../../lib/notebook/tables';
import { inFakeNotebook } from './fake-kernel';

/** Captions, names of files and words of models that mean something to a browser, or nothing to XML. */
const hostile = [
  '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '\'onmouseover=\'alert(1)', '</text></svg><script>alert(1)</script>',
    ']]><svg onload=alert(1)>',
  '<!-- ', '&lt;script&gt;', '<a href="javascript:alert(1)">x</a>', '\0\x1b[2J\ud800', '<b', 'javascript:alert(1)',
];

const ELEMENT = /<\/?([a-z][a-z0-9]*)((?:\s+[a-z][\w:-]*(?:="[^"<>]*")?)*)\s*\/?>/gi;
const HARMLESS = ['p', 'div', 'b', 'br', 'i', 'small', 'span', 'table', 'caption', 'thead', 'tbody', 'tr', 'th', 'td', 'figure',
  'figcaption', 'img', 'progress', 'svg', 'g',
  'path', 'text', 'tspan', 'rect', 'line', 'polyline', 'polygon', 'circle', 'defs', 'linearGradient', 'stop', 'clipPath', 'style', 'title'];

/** The rules that a chart's drawing brings along. */
const STYLE = /<!\[CDATA\[[^<]*?\]\]>/g;

/** Every "<" begins an element that does nothing, and no attribute is one that acts or leads elsewhere. */
function harmless(html: string): void {
  const rest = html.replace(STYLE, '').replace(ELEMENT, (_, name: string, attributes: string) => {
    assert.ok(HARMLESS.includes(name), `<${name}>`);
    assert.doesNotMatch(attributes.replace(/"[^"]*"/g, ''), /\s(on[a-z]+|href|srcset|xlink:href)=/i);
    for (const [, source] of attributes.matchAll(/\ssrc="([^"]*)"/g)) assert.match(source,
      /^data:image\/(png|jpeg);base64,[A-Za-z0-9+/=]*$/);
    return '';
  });
  assert.ok(!rest.includes('<'), rest.slice(rest.indexOf('<'), rest.indexOf('<') + 80));
}

function harmlessBundle(bundle: MimeBundle): void {
  for (const type of ['text/html', 'image/svg+xml']) if (bundle[type] !== undefined) harmless(String(bundle[type]));
}

const picture = { data: new Uint8Array(16 * 16 * 3).fill(90), width: 16, height: 16 };

describe('what a cell shows of hostile texts', () => {
  for (const text of hostile) {
    it(`is text: ${JSON.stringify(text)}`, async () => {
      harmlessBundle(tableBundle([{ [text]: text, b: 1 }], { caption: text }));
      harmlessBundle(await imageGridBundle([{ image: picture, title: text, caption: [text, text] }], { title: text }));
      harmlessBundle(await attentionBundle(picture, [text], [[1, 2, 3, 4]], { title: text }));
      harmlessBundle(await predictionBundle([{ image: picture, truth: text, top: [{ name: text, probability: 0.5 }] }], { title: text }));
      const axes = { title: text, x: text, y: text };
      for (const chart of [lineFigure({ [text]: [1, 2, 3] }, axes), barFigure({ [text]: 1, other: 2 }, axes), heatmapFigure([[1, 2]],
        { ...axes, xLabels: [text, 'b'], yLabels: [text] })]) {
        harmless(chartSvg(chart)!);
      }
      for (const { data } of await inFakeNotebook(() => { showText(text); progress(3, text).done(text); })) harmlessBundle(data);
    });
  }

  it('can be drawn, all of it', async () => {
    const axes = { title: hostile.join(' '), x: hostile[8], y: hostile[3] };
    harmlessBundle(await figureBundle(barFigure(Object.fromEntries(hostile.map((text, i) => [text, i])), axes)));
  });

  it('would be found where it is not', () => {
    for (const page of ['<p><script>alert(1)</script></p>', '<img src=x onerror=alert(1)>', '<img src="x">', '<b onclick="f()">x</b>',
      '<p>a <b</p>', '<a href="x">y</a>']) {
      assert.throws(() => harmless(page), assert.AssertionError, page);
    }
  });
});
