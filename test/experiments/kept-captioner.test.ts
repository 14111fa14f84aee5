import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { captionerFolder, keptCaptioner } from '../../lib/experiments';
import { resolveCheckpoint } from '../../lib/weights';
import { temporaryFolder } from '../datasets/temporary-folder';

describe('captioners that notebooks keep', () => {
  const temporary = temporaryFolder();

  it('lie in a folder of their report and dataset', () => {
    assert.match(captionerFolder('003', { dataset: 'scenes' }), /\/runs\/captioner-003-scenes$/);
  });

  it('are loaded, whatever they are, and asked for where they are missing', () => {
    assert.throws(() => keptCaptioner(join(temporary.path, 'none'), '10'), /none has no captioner: run notebook 10.*same PROFILE/);
    const folder = join(temporary.path, 'blip');
    cpSync(resolveCheckpoint('blip-scenes'), folder, { recursive: true });
    const captioner = keptCaptioner(folder, '07');
    assert.equal(captioner.networks.length, 1);
    captioner.dispose();
  });
});
