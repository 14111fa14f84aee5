import assert from 'node:assert/strict';
import { loadScenes, SCENE_NOUNS, sceneObjectName } from '../../lib/datasets';

describe('sceneObjectName', () => {
  it('knows singular and plural of every word for a thing, in upper case too, and no other word', () => {
    const expected = { mushroom: 'mushroom', Toadstools: 'mushroom', fish: 'fish', butterflies: 'butterfly', mugs: 'cup', present: 'gift' };
    for (const [word, kind] of Object.entries(expected)) assert.equal(sceneObjectName(word), kind);
    for (const word of ['', 'red', 'beach', 'table', 'moon', 'constructor']) assert.equal(sceneObjectName(word), undefined);
  });

  it('finds a thing of the picture in every caption of Scenes', () => {
    const kinds = Object.keys(SCENE_NOUNS);
    const test = loadScenes().split('test');
    for (const { captions, objects } of test) {
      const drawn = new Set(objects!.map(({ name }) => name));
      for (const name of drawn) assert.ok(kinds.includes(name), `${name} is among the kinds`);
      for (const caption of captions) {
        const named = caption.split(/[^a-zA-Z]+/).flatMap((word) => sceneObjectName(word) ?? []);
        assert.ok(named.length > 0 && named.every((name) => drawn.has(name)), `${caption} names ${named.join(', ')}, drawn: ${[...drawn].join(', ')}`);
      }
    }
  });
});
