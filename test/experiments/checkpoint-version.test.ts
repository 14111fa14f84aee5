import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointVersion } from '../../lib/experiments';
import { temporaryFolder } from '../datasets/temporary-folder';

describe('checkpointVersion', () => {
  const temporary = temporaryFolder();

  it('tells weights apart', async () => {
    const folder = join(temporary.path, 'weights');
    mkdirSync(join(folder, 'encoder'), { recursive: true });
    writeFileSync(join(folder, 'model.safetensors'), 'abc');
    writeFileSync(join(folder, 'encoder', 'config.json'), '{}');
    const version = await checkpointVersion(folder);
    assert.match(version, /^[0-9a-f]{16}$/);
    assert.equal(await checkpointVersion(folder), version);
    writeFileSync(join(folder, 'encoder', 'config.json'), '{ }');
    assert.notEqual(await checkpointVersion(folder), version);
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    await assert.rejects(checkpointVersion(folder), /is empty/);
  });
});
