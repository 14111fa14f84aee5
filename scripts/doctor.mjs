// Says what this machine and this checkout are, and checks that they work: npm run doctor [-- --json]
// Exit code 1 when something is broken. Works however little of set-up has been done; this file reads with every Node.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) {
  void import('./doctor/report.mjs').then(({ report }) => report(process.argv.slice(2))).then((code) => { process.exitCode = code; });
} else {
  console.error('✗ Node ' + process.versions.node + ' is too old: install Node 20.19 or newer (20, 22 and 24 are tested), for example with `nvm install 24`.');
  process.exitCode = 1;
}
