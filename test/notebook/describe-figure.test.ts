import assert from 'node:assert/strict';
import { barFigure, heatmapFigure, lineFigure } from '../../lib/notebook/charts';
import { describeFigure } from '../../lib/notebook/describe-figure';
import { figure } from '../../lib/notebook/figure';

const axes = { title: 'Loss <eval>', x: 'Epoch', y: { label: 'Cross entropy', unit: 'nats' } };
const beginning = '[chart: Loss <eval>; Cross entropy (nats) against Epoch; ';

describe('a chart in words', () => {
  it('of a line says its ends, and its lowest and highest value where they lie between', () => {
    const band = { low: [1, 1, 1], high: [2, 2, 2] };
    const curves = [
      { name: 'down <b>', y: [3, 2, 1.23456], band }, { name: 'valley', y: [3, 1, 2] },
      { name: 'gap', y: [NaN, 5, NaN] }, { name: 'none', y: [NaN] },
    ];
    const said = 'down <b>: 3 to 1.23; valley: 3 to 2, lowest 1 at 2; gap: 5; none: no values';
    assert.equal(describeFigure(lineFigure(curves, axes)), `${beginning}${said}]`);
  });

  it('of bars says the values, a dozen at most', () => {
    assert.equal(describeFigure(barFigure({ 'BLEU-1': 0.5, '<unk>': NaN }, axes)), `${beginning}BLEU-1 0.5, <unk> unknown]`);
    const many = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`w${i}`, i]));
    assert.match(describeFigure(barFigure(many, axes)), /w0 0, .*, w11 11 and 3 more\]$/);
    assert.equal(describeFigure(figure([{ type: 'bar', orientation: 'h', x: [3, 5], y: ['a', 'b'] }])), '[chart: a 3, b 5]');
  });

  it('of a matrix says its values, or its size and range, and of other kinds how much there is', () => {
    const small = heatmapFigure([[0, 1], [0.25, NaN]], { ...axes, yLabels: ['<a>', 'b'] });
    assert.equal(describeFigure(small), `${beginning}<a>: 1 0, 2 1; b: 1 0.25, 2 unknown]`);
    const large = heatmapFigure(Array.from({ length: 4 }, (_, i) => [i, 0, 0, -i]), axes);
    assert.equal(describeFigure(large), `${beginning}4 rows, 4 columns, values -3 to 3]`);
    const others = figure([{ mode: 'markers', name: 'points', x: [1, 2], y: [1, 2] }, { type: 'histogram', x: [1, 1, 2] }]);
    assert.equal(describeFigure(others), '[chart: points: 2 points; 3 values]');
    assert.equal(describeFigure(figure([])), '[chart]');
  });
});
