import assert from 'node:assert/strict';
import { isFrame, table, tableBundle } from '../../lib/notebook/tables';
import { inFakeNotebook } from './fake-kernel';

const text = (...args: Parameters<typeof tableBundle>): string => String(tableBundle(...args)['text/plain']);
const html = (...args: Parameters<typeof tableBundle>): string => String(tableBundle(...args)['text/html']);

describe('table', () => {
  it('aligns numbers right and keeps their digits in text', () => {
    assert.equal(text([{ model: 'greedy', BLEU: 0.5, n: 3 }, { model: 'beam', BLEU: 0.17254, n: 1000 }], { caption: 'Scores' }),
      'Scores\nmodel     BLEU     n\n──────  ──────  ────\ngreedy  0.5000     3\nbeam    0.1725  1000');
  });

  it('gives a column the decimals of its largest number, and small numbers their own digits', () => {
    assert.equal(text([{ v: 0.06603, w: 1234.56, lr: 0.00012345, one: 0.001 }, { v: 0.2168, w: 0.5, lr: 0.001, one: 0.001 }]), [
      '     v     w         lr    one', '──────  ────  ─────────  ─────', '0.0660  1235  0.0001234  0.001', '0.2168   0.5     0.0010  0.001'].join('\n'));
  });

  it('escapes everything in HTML: cells, column names and caption', () => {
    const page = html([{ '<i>': '<script>alert(1)</script>', b: '"&\'' }], { caption: '<h1>' });
    assert.ok(!/<(script|i|h1)>/.test(page));
    assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;') && page.includes('&quot;&amp;&#39;') && page.includes('<th style="text-align:left">&lt;i&gt;</th>'));
  });

  it('takes arrays with column names, picks columns, and fills what a row lacks', () => {
    assert.match(html([[1, 'a'], [2, 'b']], { columns: ['id', 'letter'] }), /<th[^>]*>id<\/th>/);
    assert.equal(text([{ a: 1 }, { b: null }, { a: NaN }], { columns: ['b', 'a'] }), 'b    a\n─  ───\n     1\n\n   NaN');
  });

  it('takes rows of a declared type, and refuses one with a property that is no cell', () => {
    interface Score { readonly name: string; value?: number }
    const scores: readonly Score[] = [{ name: 'BLEU', value: 0.5 }, { name: 'none' }];
    assert.match(String(tableBundle(scores)['text/plain']), /BLEU +0\.5/);
    // @ts-expect-error a list is no cell
    tableBundle([{ name: 'x', values: [1, 2] }]);
  });

  it('cuts long tables and says by how much', () => {
    assert.match(text(Array.from({ length: 60 }, (_, i) => ({ i }))), /\n49\n… 10 more rows$/);
  });

  it('counts wide characters as two columns', () => {
    assert.equal(text([{ w: '犬', n: 1 }, { w: 'ab', n: 2 }]), 'w   n\n──  ─\n犬  1\nab  2');
  });

  it('refuses mixed rows, unknown columns and what is no table', () => {
    assert.throws(() => tableBundle([{ a: 1 }, [2]]), /all objects or all arrays/);
    assert.throws(() => tableBundle([{ a: 1 }], { columns: ['b'] }), /no row has a column "b"; there are a/);
    assert.throws(() => tableBundle(null as never), /got null/);
  });

  it('shows danfojs frames and series with their index', async function danfo() {
    this.timeout(30_000);
    const { DataFrame } = await import('danfojs-node');
    const frame = new DataFrame([{ image: '<b>.jpg', words: 11.5 }, { image: 'b.jpg', words: 9 }], { index: ['x', 'y'] });
    assert.ok(isFrame(frame) && isFrame(frame.column('words')) && !isFrame([]) && !isFrame({ columns: [] }));
    assert.equal(text(frame as never), '   image    words\n─  ───────  ─────\nx  <b>.jpg   11.5\ny  b.jpg        9');
    assert.match(html(frame.column('words') as never), /<td style="text-align:left">y<\/td><td style="text-align:right">9<\/td>/);
  });

  it('is shown in a notebook and silent elsewhere', async () => {
    table([{ a: 1 }]);
    const shown = await inFakeNotebook(() => table([{ a: 1 }]));
    assert.deepEqual(shown.map(({ data }) => Object.keys(data)), [['text/html', 'text/plain']]);
  });
});
