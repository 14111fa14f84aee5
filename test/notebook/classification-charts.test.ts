import assert from 'node:assert/strict';
import { classificationReport, rocCurve } from '../../lib/metrics';
import {
  confusionChart, confusionFigure, rocChart, rocFigure, tellingWordsChart, tellingWordsFigure,
} from '../../lib/notebook/classification-charts';
import { chartSvg } from '../../lib/notebook/static-chart';
import { inFakeNotebook } from './fake-kernel';

const report = classificationReport([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], { classes: ['SmolVLM', 'Custom'] });
const roc = rocCurve([0, 0, 1, 1, 1], [0.1, 0.6, 0.7, 0.9, 0.2]);
const words = [
  { word: '.', source: 'SmolVLM', effect: 2.5, count: 9, countInSource: 9 },
  { word: 'a', source: 'Custom', effect: 1, count: 12, countInSource: 7 },
  { word: 'the', source: 'SmolVLM', effect: 0.5, count: 20, countInSource: 11 },
  { word: 'an', source: 'SmolVLM', effect: -0.1, count: 5, countInSource: 2 },
];

describe('classification charts', () => {
  it('a confusion matrix has true classes down, with their numbers, and predicted ones across', () => {
    const { data: [{ z }], layout } = confusionFigure(report);
    assert.deepEqual(z, [[1, 1], [1, 2]]);
    const numbers = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>(\d+)<\/text>/g)].map(([, digits]) => digits);
    const many = classificationReport([0, 0, 1], [0, 1, 1], { classes: ['a', 'b'] });
    assert.deepEqual(numbers(chartSvg(confusionFigure({ ...many, confusion: [[101, 7], [33, 444]] }))!), ['101', '7', '33', '444']);
    assert.deepEqual((layout.yaxis as { ticktext: string[] }).ticktext, ['SmolVLM (2)', 'Custom (3)']);
    assert.deepEqual((layout.xaxis as { ticktext: string[] }).ticktext, ['SmolVLM', 'Custom']);
    const names = Array.from({ length: 24 }, (_, i) => `class ${i}`), every = names.map((_, i) => i);
    const drawn = chartSvg(confusionFigure(classificationReport(every, every, { classes: names })))!;
    for (const name of names) assert.ok(drawn.includes(`>${name} (1)<`), `${name} is named`);
  });

  it('a ROC curve names its area and has the diagonal beside it', () => {
    const { data } = rocFigure({ 'whole <input>': roc });
    assert.deepEqual(data.map(({ name }) => name), ['whole &lt;input&gt; (area 0.833)', 'chance']);
    const shortened = [roc.falsePositiveRate, roc.truePositiveRate].map((values) => values.map((value) => Number(value.toPrecision(6))));
    assert.deepEqual([data[0].x, data[0].y], shortened);
  });

  it('the words of a source come strongest first, with their places', () => {
    const { data: [{ x, y }] } = tellingWordsFigure(words, { source: 'SmolVLM' });
    assert.deepEqual([x, y], [['. (9)', 'the (20)'], [2.5, 0.5]]);
    assert.deepEqual(tellingWordsFigure(words, { source: 'SmolVLM', count: 1 }).data[0].x, ['. (9)']);
    assert.throws(() => tellingWordsFigure(words, { source: 'BLIP' }), /No word speaks for BLIP: the words given are of SmolVLM, Custom/);
  });

  it('all show with a still picture', async () => {
    const figures = [confusionFigure(report), rocFigure({ classifier: roc }), tellingWordsFigure(words, { source: 'Custom' })];
    for (const figure of figures) assert.ok(chartSvg(figure));
    const shown = await inFakeNotebook(async () => {
      await confusionChart(report);
      await rocChart({ classifier: roc });
      await tellingWordsChart(words, { source: 'Custom' });
    });
    assert.deepEqual(shown.map(({ data }) => data['text/plain']), [
      '[chart: Confusion matrix; True against Predicted; SmolVLM (2): SmolVLM 1, Custom 1; Custom (3): SmolVLM 1, Custom 2]',
      '[chart: ROC curve; True positive rate against False positive rate; classifier (area 0.833): 0 to 1; chance: 0 to 1]',
      '[chart: Words that speak for Custom; Mean rise of the log-odds (nats) against Word (places in the captions); a (12) 1]',
    ]);
  });
});
