import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { partA, partAModels, type PartAConfig } from '../../lib/experiments';
import { resolveCheckpoint } from '../../lib/weights';
import { temporaryFolder } from '../datasets/temporary-folder';

describe('part A\'s captioners for part B', () => {
  const temporary = temporaryFolder();

  it('are refused before part A has kept its own', async () => {
    await assert.rejects(partAModels({ ...partA.small, folder: join(temporary.path, 'none') }), /run notebook 02/);
  });

  it('have another version where weights or the question differ', async () => {
    const folder = join(temporary.path, 'captioner'), config: PartAConfig = { ...partA.small, folder };
    cpSync(resolveCheckpoint('vit-scenes'), folder, { recursive: true });
    const versions = async (of: PartAConfig) => Object.values(await partAModels(of)).map(({ version }) => version);
    const [smol, custom] = await versions(config);
    assert.deepEqual(await versions(config), [smol, custom]);
    const [asked, same] = await versions({ ...config, baseline: { ...config.baseline, question: 'What is it?' } });
    assert.notEqual(asked, smol);
    assert.equal(same, custom);
    writeFileSync(join(folder, 'more.txt'), 'x');
    const [unchanged, trained] = await versions(config);
    assert.equal(unchanged, smol);
    assert.notEqual(trained, custom);
  });
});
