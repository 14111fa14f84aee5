/** What holds for every notebook of notebooks/, present and to come. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { notebooksFolder, root } from '../../scripts/notebooks/environment';
import { SIZE_LIMIT, textOf, type Notebook } from '../../scripts/notebooks/notebook-file';

const MAX_LINES = 15;
const files = fs.existsSync(notebooksFolder) ? fs.readdirSync(notebooksFolder).filter((file) => file.endsWith('.ipynb')).sort() : [];

describe('committed notebooks', () => {
  for (const file of files) {
    describe(file, () => {
      const whole = fs.readFileSync(path.join(notebooksFolder, file), 'utf8');
      const { cells, metadata } = JSON.parse(whole) as Notebook;
      const code = cells.map((cell, position) => ({ cell, position, source: textOf(cell.source) })).filter(({ cell, source }) => cell.cell_type === 'code' && source.trim());
      const outputs = code.flatMap(({ cell }, i) => (cell.outputs ?? []).map((output) => ({ output, number: i + 1 })));

      it('begins with a title', () => {
        assert.equal(cells[0]?.cell_type, 'markdown');
        assert.match(textOf(cells[0].source), /^# \S/);
      });

      it(`has no code cell of more than ${MAX_LINES} lines`, () => {
        const long = code.map(({ source }, i) => ({ cell: i + 1, lines: source.trimEnd().split('\n').length })).filter(({ lines }) => lines > MAX_LINES);
        assert.deepEqual(long, []);
      });

      it('explains itself before its first code cell, and has more than a title', () => {
        assert.ok(code.length > 0);
        assert.ok(cells.slice(0, code[0].position).some((cell) => cell.cell_type === 'markdown'));
      });

      it('has a text before every code cell', () => {
        const bare = cells.filter((cell, i) => cell.cell_type === 'code' && cells[i - 1]?.cell_type !== 'markdown').map(({ id }) => id);
        assert.deepEqual(bare, []);
      });

      it(`is smaller than ${SIZE_LIMIT / 1e6} MB`, () => assert.ok(Buffer.byteLength(whole) < SIZE_LIMIT, `${Buffer.byteLength(whole)} bytes`));

      it('names our kernel', () => assert.equal((metadata.kernelspec as { name?: string } | undefined)?.name, 'tslab'));

      it('is committed executed, from the first cell to the last', () => {
        assert.deepEqual(code.map(({ cell }) => cell.execution_count), code.map((_, i) => i + 1));
      });

      it('holds no errors, no scripts, and no paths of the machine it ran on', () => {
        assert.deepEqual(outputs.filter(({ output }) => output.output_type === 'error').map(({ number }) => number), []);
        const texts = outputs.map(({ output, number }) => ({ number, text: JSON.stringify([output.text, output.data?.['text/html'], output.data?.['text/plain']]) }));
        assert.deepEqual(texts.filter(({ text }) => /<script|javascript:/i.test(text)).map(({ number }) => number), []);
        const ofMachine = /(?<![\w.:/])\/(home|mnt|opt|private|root|srv|tmp|Users|var|work)\//;
        assert.deepEqual(texts.filter(({ text }) => text.includes(root + path.sep) || ofMachine.test(text)).map(({ number }) => number), []);
      });

      it('labels every chart: title, axes, a line of text for those who do not see it', () => {
        type Layout = Record<string, { text?: string; title?: { text?: string } } | undefined>;
        const named = (text: string | undefined): boolean => Boolean(text?.trim());
        const unlabelled = outputs.flatMap(({ output: { data = {} }, number }) => {
          const figure = data['application/vnd.plotly.v1+json'] as { layout: Layout } | undefined;
          if (!figure) return [];
          const { title, xaxis, yaxis } = figure.layout, text = textOf(data['text/plain'] as string);
          return [title?.text, xaxis?.title?.text, yaxis?.title?.text, text].every(named) ? [] : [number];
        });
        assert.deepEqual(unlabelled, []);
      });

      it('says in words what its pictures show', () => {
        const silent = outputs.filter(({ output: { data = {} } }) => {
          const pictures = textOf((data['text/html'] ?? '') as string).match(/<img\b[^>]*>/g) ?? [];
          const drawn = ['image/png', 'image/jpeg', 'image/svg+xml'].some((type) => type in data);
          return pictures.some((picture) => !/\balt="[^"]+"/.test(picture)) || (drawn && !textOf((data['text/plain'] ?? '') as string).trim());
        });
        assert.deepEqual(silent.map(({ number }) => number), []);
      });

      it('shows charts with a still picture beside the interactive figure', () => {
        const bare = outputs.filter(({ output }) => output.data?.['application/vnd.plotly.v1+json'] !== undefined)
          .filter(({ output }) => !['image/jpeg', 'image/svg+xml', 'image/png'].some((type) => type in output.data!));
        assert.deepEqual(bare.map(({ number }) => number), []);
      });
    });
  }

  if (files.length === 0) it('(there are none yet)');
});
