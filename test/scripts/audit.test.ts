import assert from 'node:assert/strict';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';

interface Judgement { lines: string[]; isBad: boolean }

describe('the audit of dependencies', () => {
  let judge: (output: string) => Judgement;
  before(async () => {
    const file = pathToFileURL(path.join(__dirname, '..', '..', 'scripts', 'audit.mjs')).href;
    ({ judge } = await import(file) as { judge: typeof judge });
  });

  const report = (high: number, low: number): string => JSON.stringify({
    vulnerabilities: { tar: { name: 'tar', severity: high ? 'high' : 'low', range: '<7' } },
    metadata: { vulnerabilities: { info: 0, low, moderate: 0, high, critical: 0, total: high + low } },
  });

  it('names packages and fails where an advisory is high or critical', () => {
    const lines = ['high: tar <7', '1 packages with open advisories, 1 of them high or critical'];
    assert.deepEqual(judge(report(1, 0)), { lines, isBad: true });
    assert.equal(judge(report(0, 1)).isBad, false);
  });

  for (const output of ['', 'no JSON', '{"message":"404 Not Found","statusCode":404}']) {
    it(`says that nothing was checked where the registry answers ${JSON.stringify(output)}`, () => {
      const { lines, isBad } = judge(output);
      assert.match(lines.join(), /nothing was checked/);
      assert.equal(isBad, false);
    });
  }
});
