/** Solutions of the notebooks' exercises that ask for code and need no long training: that they can be done with what a cell has. */
import assert from 'node:assert/strict';
import { loadScenes, type CaptionRecord } from '../../lib/datasets';
import { deitTransformer, loadDataset, showAttendTell } from '../../lib/experiments';
import { grounding, type WordMaps } from '../../lib/explain';
import { fillPrompt } from '../../lib/classifiers';
import { occlude, occludedCells } from '../../lib/images';
import { bleu, captionDiversity, scoreCaptions } from '../../lib/metrics';
import { scheduleOf } from '../../lib/training';

const test = loadScenes().split('test');
const references = Object.fromEntries(test.records.map(({ id, captions }) => [id, captions]));
const scoreOf = (captions: readonly string[], of = references) =>
  scoreCaptions(of, Object.fromEntries(test.records.map(({ id }, i) => [id, captions[i]]))).corpus;
/** The share of captions that name the colour of the first object. */
const rightColours = (captions: readonly string[], records: readonly CaptionRecord[]): number =>
  records.filter(({ objects }, i) => captions[i].toLowerCase().split(/\W+/).includes(objects![0].attributes.colour)).length / records.length;

describe('solutions of exercises', () => {
  it('00.2: a caption of the right words in a wrong order has BLEU-1 of 1', () => {
    const { corpus: [one, two] } = bleu([[['a', 'red', 'boat', 'and', 'a', 'blue', 'car']]], [['a', 'blue', 'boat', 'and', 'a', 'red', 'car']]);
    assert.ok(Math.abs(one - 1) < 1e-9 && two < 1, `${one} ${two}`);
  });

  it('00.3: the share of captions that name the first object\'s colour', () => {
    const terse = test.records.map(({ captions }) => captions[0]);
    const turned = [...terse.slice(1), terse[0]];
    assert.ok(rightColours(terse, test.records) > 0.9, 'people name colours');
    assert.ok(rightColours(turned, test.records) < 0.5, 'captions of other pictures do not');
  });

  it('03.2: what a captioner scores that says the same of every picture', () => {
    const image = { data: new Uint8Array(64 * 64 * 3).fill(200), width: 64, height: 64 };
    assert.ok(occlude(image, 100).data.every((value) => value === 0), 'all black');
    const same = scoreOf(test.records.map(() => 'a red ball and a blue ball'));
    assert.ok(same.CIDEr < 0.4, `${same.CIDEr}`);
  });

  it('03.4: cells drawn anew at every level are no longer those of the level below and more', () => {
    const cells = (level: number, nested: boolean) => occludedCells(level, { seed: 1, nested });
    const within = (nested: boolean) => cells(50, nested).every((cell) => cells(80, nested).includes(cell));
    assert.deepEqual([within(true), within(false)], [true, false]);
  });

  it('04.1: captions cut after their first sentence', () => {
    const firstSentence = (text: string): string => /^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text;
    assert.equal(firstSentence('A cat of 2.5 m. It sleeps.'), 'A cat of 2.5 m.');
    assert.equal(firstSentence('a cat'), 'a cat');
  });

  it('07.3, 11.2: colours take the place of kinds, in the records and in what a word names', () => {
    const coloured = test.take(20).records.map((record) =>
      ({ ...record, objects: record.objects!.map((object) => ({ ...object, name: object.attributes.colour })) }));
    const colours = new Set(coloured.flatMap(({ objects }) => objects.map(({ name }) => name)));
    const even: WordMaps[] = coloured.map(({ captions }) => {
      const words = captions[0].toLowerCase().split(/\W+/).filter(Boolean);
      return { words, maps: words.map(() => new Float32Array(16).fill(1)), grid: [4, 4] };
    });
    const { all, byName } = grounding(coloured, even, { nameOf: (word) => (colours.has(word) ? word : undefined) });
    assert.ok(byName.length > 3 && byName.every(({ name }) => colours.has(name)), byName.map(({ name }) => name).join());
    assert.ok(Math.abs(all.mass.value - all.area) < 1e-6, 'an even map has what the area has');
  });

  it('09.3: names with their articles', () => {
    const article = (name: string): string => `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`;
    const asked = ['apple', 'boat', 'umbrella'].map((name) => fillPrompt('this is a photo of {object}', article(name)));
    assert.deepEqual(asked, ['this is a photo of an apple', 'this is a photo of a boat', 'this is a photo of an umbrella']);
  });

  it('10.1: without warmup the first step has the full rate', () => {
    const { schedule } = deitTransformer.small.training;
    const [warm, cold] = [scheduleOf(schedule!), scheduleOf({ shape: 'cosine', warmupSteps: 0 })];
    assert.ok(warm(0, 256) < 0.1 && cold(0, 256) === 1 && cold(128, 256) < cold(64, 256), `${warm(0, 256)} ${cold(0, 256)}`);
  });

  it('12.2, 12.1: captions cut to twelve words score more, and are as varied as their words', () => {
    const wordy = test.records.map(({ captions }) => `${captions[0].replace(/\.$/, '')} in a picture that we can see here and now in the image`);
    const cut = wordy.map((text) => text.split(' ').slice(0, 12).join(' '));
    const others = Object.fromEntries(test.records.map(({ id, captions }) => [id, captions.slice(1)]));
    assert.ok(scoreOf(cut, others).Bleu_4 > scoreOf(wordy, others).Bleu_4, 'shorter captions have fewer wrong words');
    assert.ok(captionDiversity(cut).unique > 0.9, 'people do not repeat themselves');
  });

  it('05.1, 07.1: settings are changed in a copy, and the config stays', () => {
    const changed = { ...showAttendTell.small, decoder: { ...showAttendTell.small.decoder, attentionPenalty: 0 } };
    assert.notEqual(changed.decoder.attentionPenalty, showAttendTell.small.decoder.attentionPenalty);
    assert.equal(loadDataset(changed).split('test').length, test.length);
  });
});
