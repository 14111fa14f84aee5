import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { checkpointRegistry } from '../../lib/weights';
import { weightsReadme, withTable } from '../../scripts/weights-readme';

describe('weights/README.md', () => {
  const readme = fs.readFileSync(weightsReadme, 'utf8');

  it('has the registry\'s table (else: npx tsx scripts/weights-readme.ts)', () => {
    assert.equal(readme, withTable(readme));
    for (const { name } of checkpointRegistry) assert.ok(readme.includes(`\`npx captioning download ${name}\``), name);
  });

  it('gets a changed row back, and is refused without its marks', () => {
    assert.equal(withTable(readme.replace('| 551 MB |', '| 1 MB |')), readme);
    assert.throws(() => withTable('# Weights'), /lacks the lines/);
  });
});
