import assert from 'node:assert/strict';
import { type Scene } from '../../scripts/scenes';
import { trainBytePairs } from '../../scripts/pretrain/byte-pairs';
import { CELL_CLASSES, cellLabels, IGNORED, PICTURE_LABELS, pictureLabels } from '../../scripts/pretrain/scene-labels';
import { KINDS } from '../../scripts/scenes';

describe('trainBytePairs', () => {
  it('merges the most frequent pair first, of equals the one first seen, until words are whole', () => {
    // "ab" is seen 5 times, "bc" 3 times, "ca" twice.
    const words = new Map([
      ['ab', 2],
      ['abc', 3],
      ['ca', 2],
    ]);
    assert.deepEqual(trainBytePairs(words, 10), [
      ['a', 'b'],
      ['ab', 'c'],
      ['c', 'a'],
    ]);
    assert.deepEqual(trainBytePairs(words, 1), [['a', 'b']]);
  });

  it("works on bytes, a space being Ġ as in GPT-2, and marks a word's end where told to", () => {
    assert.deepEqual(trainBytePairs(new Map([[' a', 1]]), 5), [['Ġ', 'a']]);
    assert.deepEqual(trainBytePairs(new Map([['ab', 1]]), 5, '</w>'), [['a', 'b</w>']]);
    assert.deepEqual(trainBytePairs(new Map([['é', 1]]), 5), [['Ã', '©']]);
  });
});

describe('labels of pretraining pictures', () => {
  const ball = { kind: 'ball', colour: 'red', texture: 'striped', size: 'large', box: [0, 0, 64, 64], entity: 0 } as const;
  const cup = { kind: 'cup', colour: 'blue', texture: 'plain', size: 'small', box: [96, 100, 20, 28], entity: 1 } as const;
  const scene = {
    seed: 'test',
    composition: 'beside',
    background: 'room',
    details: ['window'],
    objects: [ball, cup],
    relations: [],
    svg: '',
    entities: [
      { ...ball, count: 1, support: 'ground', inRow: false },
      { ...cup, count: 2, support: 'ground', inRow: false },
    ],
  } as unknown as Scene;

  it('name at each cell the thing that covers most of it, and nothing where less than a fifth is covered', () => {
    const { kind, colour, size } = cellLabels(scene, 2);
    const none = CELL_CLASSES.kind - 1;
    // The cup covers 560 of the last cell's 4,096 pixels.
    assert.deepEqual([...kind], [KINDS.indexOf('ball'), none, none, none]);
    assert.deepEqual([...colour], [0, IGNORED, IGNORED, IGNORED]);
    assert.equal(size[0], 2);
    assert.equal(cellLabels(scene, 4).kind[15], KINDS.indexOf('cup'));
  });

  it('of a part of the picture are those of its cells', () => {
    const part = cellLabels(scene, 1, [92, 96, 32]);
    assert.deepEqual([part.kind[0], part.colour[0], part.texture[0], part.size[0]], [KINDS.indexOf('cup'), 4, 0, 0]);
  });

  it('of the whole picture name kinds, numbers, background and details', () => {
    const named = PICTURE_LABELS.filter((_, i) => pictureLabels(scene)[i]);
    assert.deepEqual(named.sort(), ['background room', 'ball', 'cup', 'detail window', 'two cup']);
  });
});
