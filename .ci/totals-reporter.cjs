// mocha's usual report on the screen, and its totals as "PASSED FAILED" in the file that MOCHA_TOTALS names.
const fs = require('node:fs');
const { createRequire } = require('node:module');
const Mocha = createRequire(`${process.cwd()}/package.json`)('mocha');

module.exports = class TotalsReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    // An error outside of all tests comes from another process without its methods.
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      if (typeof test.titlePath === 'function') return;
      test.titlePath = () => [test.title];
      console.log(error);
    });
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      if (process.env.MOCHA_TOTALS) fs.writeFileSync(process.env.MOCHA_TOTALS, `${this.stats.passes} ${this.stats.failures}\n`);
    });
  }
};
