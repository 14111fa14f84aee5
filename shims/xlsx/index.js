// danfojs-node wants SheetJS from outside the registry, for Excel files only. The registry's last version has open advisories,
// so that there is none here: reading or writing Excel says so, everything else of danfojs works.
const refuse = () => { throw new Error('Excel files are not supported here: save the sheet as CSV and use readCSV, or toCSV.'); };
const properties = { get: (target, name) => (name in target || typeof name === 'symbol' || name === '__esModule' ? target[name] : refuse) };
module.exports = new Proxy({ utils: new Proxy({}, properties) }, properties);
