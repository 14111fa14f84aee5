// What to do about a failed command, from what it printed. Most specific first.
const network = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|Read timed out|Connection (?:refused|reset|aborted)|Name or service not known|Temporary failure in name resolution|ProxyError|EPROTO/i;
const certificate = /SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY_LEAF|CERT_HAS_EXPIRED|certificate verify failed|SSLError/i;

/** The folder or file an EACCES or EROFS is about. */
function unwritable(text) {
  const named = /npm error (?:dest|path) (\/\S.*)|(?:EACCES|EROFS|EPERM)[^\n]*?'(\/[^'\n]+)'|(?:Permission denied|Read-only file system): '?(\/[^'\n]+)|File exists: '(\/[^'\n]+)'|cannot open output file (\/.+?): /.exec(text);
  return named?.slice(1).find(Boolean) ?? 'a folder it writes to';
}

const remedies = [
  [/ENOSPC|No space left on device/i, 'the disk is full: free some space and run it again.'],
  [/EDQUOT|Disk quota exceeded/i, 'your disk quota is used up: free some space and run it again.'],
  [/EACCES|EROFS|EPERM|ENOTDIR|Permission denied|Read-only file system|cannot open output file/i, (text) =>
    `${unwritable(text)} cannot be written: give yourself write access to it, or put npm's and pip's caches elsewhere (export npm_config_cache=/tmp/npm-cache PIP_CACHE_DIR=/tmp/pip-cache), and run it again.`],
  [/ensurepip is not available|No module named (?:venv|ensurepip)/i, 'this Python has no venv module: `apt install python3-venv` (Debian/Ubuntu), or set PYTHON=/path/to/another/python3, and run it again.'],
  [certificate, 'the registry\'s certificate is not trusted (a proxy that reads along?): name its authority\'s file in NODE_EXTRA_CA_CERTS and PIP_CERT, and run it again.'],
  [network, (text, what) => `${what.startsWith('npm') ? 'the npm registry' : 'the Python package index'} cannot be reached: check the network, proxy or mirror (environment.md, Offline and mirrors) and run it again.`],
  [/THESE PACKAGES DO NOT MATCH THE HASHES|EINTEGRITY/i, 'a package does not have the expected checksum, so the mirror or a cache altered it: clear the caches (`npm cache clean --force`, `pip cache purge`), or use another mirror, and run it again.'],
  [/\bE401\b|\bE403\b|401 (?:Client )?Error|403 (?:Client )?Error|40[13] (?:Unauthorized|Forbidden)/i, 'the registry or mirror refuses access: check its address and your credentials for it, and run it again.'],
  [/\bETARGET\b|\bE404\b|No matching distribution found|Could not find a version that satisfies/i, (text, what) => {
    const missing = /No matching distribution found for (\S+)|requested resource '([^']+)'|No matching version found for (\S+?)\.? /.exec(text)?.slice(1).find(Boolean);
    return `the ${what.startsWith('npm') ? 'npm registry' : 'Python package index'} does not offer ${missing ?? 'a package'} for this machine: check the mirror (environment.md, Offline and mirrors)${
      what.startsWith('npm') ? ' and npm settings that hide new versions (before, min-release-age)' : '; CPython 3.10 to 3.14 on 64-bit Linux are served'}.`;
  }],
  [/npm ci` can only install|EUSAGE/i, 'package.json and package-lock.json disagree: undo the change to them, or run `npm install` and commit both.'],
  [/EJSONPARSE/i, 'package.json or package-lock.json is not valid JSON (a merge left over?): mend it, and run it again.'],
  [/unrecognized command[- ]line option|error: invalid value '?c\+\+17|requires? C\+\+17|C\+\+17 standard/i, 'the C++ compiler is too old or of another kind: use GCC 9 or clang 10, or newer (set CXX), and run it again.'],
  [/fatal error: '?(?:node_api\.h|tensorflow\/|absl\/)|cannot find -l|file (?:truncated|not recognized)/i, 'TensorFlow\'s headers or libraries are incomplete: `npm run setup -- --fresh`.'],
  [/fatal error: '?[\w./]+'?(?: file not found|: No such file)|cannot find (?:Scrt1|crti|crtbeginS)/i, 'the C++ compiler lacks its standard library: `apt install g++ libc6-dev` (Debian/Ubuntu), and run it again.'],
  [/error TS\d+/, 'the library does not compile: see the errors above (or `npm run build`).'],
  [/Killed|ended by SIGKILL|out of memory|ENOMEM|Cannot allocate memory/i, 'it was killed or memory ran out: close other programs and run it again.'],
];

/** One sentence that says what to do about `what`, which printed `output`. */
export function remedyFor(what, output) {
  for (const [pattern, remedy] of remedies) if (pattern.test(output)) return typeof remedy === 'function' ? remedy(output, what) : remedy;
  return 'see what it printed above (all of it is in .setup.log), and run it again.';
}

/** A command's output without what authenticates: users and passwords in addresses, npm's keys. Logs are handed on for help. */
export const withoutCredentials = (output) => output
  .replace(/(\w:\/\/)[^\s/@]+@/g, '$1…@').replace(/(_(?:authToken|auth|password)\s*[=:]\s*)\S+/g, '$1…');
