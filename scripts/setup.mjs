// Sets up everything from a fresh clone and does nothing on a second run (environment.md says what and why).
//   node scripts/setup.mjs [--quiet] [--fresh]      CAPTIONING_DEVICE=cpu|cuda, PYTHON and CXX override what it picks
// Runs before anything is installed, on Node's own modules; this file alone must also read with the Nodes it refuses.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) {
  void import('./setup/main.mjs').then(({ setUp }) => setUp(process.argv.slice(2))).then((code) => { process.exitCode = code; });
} else {
  console.error('✗ Set-up stopped: Node ' + process.versions.node + ' is too old: install Node 20.19 or newer (20, 22 and 24 are tested), ' +
    'for example with `nvm install 24`, and run it again.');
  process.exitCode = 1;
}
