import assert from 'node:assert/strict';
import { checkpointRegistry, findCheckpointEntry, folderVariable } from '../../../lib/weights';
import { chooseFiles } from '../../../lib/weights/download/file-choice';
import { isRepository } from '../../../lib/weights/download/repository';

describe('the registry of checkpoints', () => {
  it('has every network of the reports', () => {
    const named = [
      'vit-small', 'vit-base', 'vit-large-timm', 'deit3-large', 'mobilenet_v2', 'resnet50', 'resnet101', 'inception-resnet-v2',
      'gpt2', 'bert-base-uncased', 'vit-gpt2', 'clip-vit-base-patch32', 'clip-vit-base-patch16', 'clip-vit-large-patch14',
      'blip-base', 'blip-large', 'smolvlm-256m', 'smolvlm-500m', 'smolvlm-2.2b',
    ];
    for (const name of named) assert.ok(findCheckpointEntry(name), name);
    assert.deepEqual([...new Set(checkpointRegistry.flatMap(({ usedBy }) => usedBy))].sort(), ['000', '001', '002', '003', '004']);
  });

  it('has each name, repository and variable once', () => {
    for (const of of [(name: string) => name, (name: string) => findCheckpointEntry(name)!.repository, folderVariable]) {
      const all = checkpointRegistry.map(({ name }) => of(name));
      assert.deepEqual(all, [...new Set(all)]);
    }
    assert.equal(folderVariable('mobilenet_v2'), 'MOBILENET_V2_DIR');
    assert.equal(folderVariable('smolvlm-2.2b'), 'SMOLVLM_2_2B_DIR');
  });

  for (const entry of checkpointRegistry) {
    it(`${entry.name}: a repository, files that the library chooses itself with one format of weights last, every field filled`, () => {
      assert.equal(isRepository(entry.repository), true);
      const { files, weights } = chooseFiles(entry.files);
      assert.equal(files.includes('config.json'), true);
      assert.equal(weights.length, 1);
      assert.deepEqual([...files, ...weights].sort(), [...entry.files].sort());
      assert.equal(entry.files.at(-1), weights[0]);
      assert.equal(entry.bytes > 1e7 && entry.bytes < 1e10, true);
      for (const text of [entry.licence, entry.architecture, entry.preprocessing, entry.revision]) assert.equal(text.length > 2, true);
    });
  }
});
