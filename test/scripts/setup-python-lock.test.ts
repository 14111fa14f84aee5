import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/notebooks/environment';

describe('set-up: Python packages', () => {
  const folder = path.join(root, 'scripts', 'setup', 'python');
  for (const lock of fs.readdirSync(folder).filter((name) => name.endsWith('.lock'))) {
    it(`of ${lock} are of one version each, and known by their hashes`, () => {
      const text = fs.readFileSync(path.join(folder, lock), 'utf8').replace(/\\\n/g, ' ');
      const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
      assert.ok(lines.length > 0, 'there are packages');
      const ASKED = /^[\w.-]+(\[[\w,-]+\])?==[\w.!+-]+( ; [^;]*?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*$/;
      for (const line of lines) assert.match(line, ASKED);
    });
  }

  it('are installed with their hashes checked, as they are published, and nothing besides', () => {
    const script = fs.readFileSync(path.join(root, 'scripts', 'setup', 'python-environment.mjs'), 'utf8');
    for (const option of ['--require-hashes', '--no-deps', '--only-binary=:all:']) assert.ok(script.includes(option), option);
  });
});
