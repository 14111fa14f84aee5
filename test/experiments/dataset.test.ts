import assert from 'node:assert/strict';
import { loadScenes } from '../../lib/datasets';
import { loadDataset } from '../../lib/experiments';

describe('loadDataset', () => {
  it('keeps the first so many pictures to train on and all others', () => {
    const scenes = loadScenes(), few = loadDataset({ dataset: 'scenes', trainingPictures: 30 });
    assert.deepEqual(few.counts, { ...scenes.counts, train: 30 });
    assert.deepEqual(few.split('train').records, scenes.split('train').records.slice(0, 30));
    assert.equal(loadDataset({ dataset: 'scenes' }).length, scenes.length);
  });
});
