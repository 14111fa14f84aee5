// What to do about a failed command, from what it printed. Most specific first.
const remedies = [
  [/ENOSPC|No space left on device/i, 'the disk is full: free about 3 GB and run it again.'],
  [/EACCES|EROFS|EPERM|Permission denied|Read-only file system/i, (text) => {
    const file = /(?:path|open|mkdir|rename|unlink|directory|cache(?: folder)?)[^'"\n/]*['"]?(\/[^'"\s:]+)/i.exec(text)?.[1];
    return `${file ?? 'a folder it writes to'} is not writable: give yourself write access, or point the cache elsewhere (npm_config_cache=/tmp/npm PIP_CACHE_DIR=/tmp/pip) and run it again.`;
  }],
  [/ensurepip is not available|No module named (?:venv|ensurepip)/i, 'this Python has no venv module: `apt install python3-venv` (Debian/Ubuntu), or set PYTHON=/path/to/another/python3, and run it again.'],
  [/No matching distribution found|Could not find a version that satisfies/i, (text) =>
    /ConnectionError|NewConnectionError|Name or service|Temporary failure|timed out|ProxyError|SSLError/i.test(text)
      ? 'the Python package index cannot be reached: check the network or proxy (environment.md, Offline and mirrors).'
      : 'the Python package index offers no build for this Python and machine: use CPython 3.10 to 3.13 on 64-bit Linux, or check the mirror (environment.md, Offline and mirrors).'],
  [/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network|NewConnectionError|Name or service not known|Temporary failure in name resolution|ProxyError|SSLError|CERT_/i,
    'the package registry cannot be reached: check the network or proxy (environment.md, Offline and mirrors) and run it again.'],
  [/THESE PACKAGES DO NOT MATCH THE HASHES|EINTEGRITY/i, 'a downloaded package does not have the expected checksum: clear the caches (`npm cache clean --force`, `pip cache purge`) and run it again.'],
  [/can only install packages when your package.json and package-lock.json|EUSAGE/i, 'package.json and package-lock.json disagree: run `npm install` and commit the lock file.'],
  [/(?:g\+\+|c\+\+).*(?:ENOENT|not found)|spawn \S*\+\+ ENOENT/i, 'no C++ compiler was found: `apt install g++` (Debian/Ubuntu) or `dnf install gcc-c++` (Fedora), or set CXX, and run it again.'],
  [/spawn npm ENOENT/i, 'npm was not found beside Node: reinstall Node from nodejs.org or with nvm.'],
  [/fatal error: .*: No such file or directory|cannot find -l/i, 'TensorFlow\'s headers or libraries are incomplete: delete .venv and run it again.'],
  [/error TS\d+/i, 'the library does not compile: see the errors above (or `npm run build`).'],
  [/Killed|out of memory|ENOMEM/i, 'memory ran out: close other programs and run it again.'],
];

/** One sentence that says what to do. */
export function remedyFor(what, output) {
  for (const [pattern, remedy] of remedies) if (pattern.test(output)) return typeof remedy === 'function' ? remedy(output) : remedy;
  return `see the end of .setup.log (what ${what} printed is above).`;
}
