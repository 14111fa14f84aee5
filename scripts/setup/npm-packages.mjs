// The npm packages of package-lock.json, the ones for development included whatever npm's settings say.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { at, hash, read, root, run, SetupError, stamped } from './steps.mjs';

// Settings of a user or of the npm that started us which would change what is installed or where. Registry, proxy,
// certificates, cache and credentials stay.
const meddling = /^npm_config_(omit|only|also|production|dev|optional|include|global|location|workspaces?|include_workspace_root|dry_run|package_lock(_only)?|ignore_scripts|install_strategy|install_links|bin_links|engine_strict|prefix|legacy_bundling|global_style|os|cpu|libc|json|loglevel|allow_git)$/i;

export function npmEnvironment(env = process.env) {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => name !== 'NODE_ENV' && !meddling.test(name.replaceAll('-', '_'))));
  const has = (name) => Object.keys(kept).some((key) => key.toLowerCase().replaceAll('-', '_') === name);
  // npm waits 10 and 60 seconds between tries and 5 minutes for an answer: too long to tell that there is no network.
  for (const [name, value] of [['fetch_retries', '2'], ['fetch_retry_mintimeout', '1000'], ['fetch_retry_maxtimeout', '5000'], ['fetch_timeout', '60000'],
    ['update_notifier', 'false']]) {
    if (!has(`npm_config_${name}`)) kept[`npm_config_${name}`] = value;
  }
  return kept;
}

// These win over every npmrc file.
const flags = ['--include=dev', '--include=optional', '--include=peer', '--no-global', '--no-dry-run', '--package-lock', '--no-package-lock-only',
  '--ignore-scripts', '--bin-links', '--install-strategy=hoisted', '--no-engine-strict', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];

/** The npm that started us, else the one on the PATH. */
export function npmCommand(env = process.env) {
  const cli = env.npm_execpath ?? '';
  return /npm-cli\.[cm]?js$/.test(cli) && fs.existsSync(cli) ? [process.execPath, cli] : ['npm'];
}

const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|EPIPE|CERT|SSL|EPROTO/;

/** Whether one request gets through. Without this npm asks for every package three times before it gives up: many minutes. */
function registryAnswers(command, args, env) {
  const { stdout, stderr, status } = spawnSync(command, [...args, 'ping', '--loglevel=error'],
    { cwd: root, encoding: 'utf8', env: { ...env, npm_config_fetch_retries: '1', npm_config_fetch_timeout: '15000' } });
  return status === 0 || !unreachable.test(`${stdout}${stderr}`);
}

/** What a package.json says about packages; its scripts may change without a new installation. */
function wishes(file) {
  const text = read(file);
  try {
    const { dependencies, devDependencies, optionalDependencies, peerDependencies, overrides, workspaces, bin } = JSON.parse(text);
    return JSON.stringify([dependencies, devDependencies, optionalDependencies, peerDependencies, overrides, workspaces, bin]);
  } catch {
    return text; // npm will say what is wrong with it
  }
}

export const installPackages = stamped({
  name: 'npm packages',
  title: () => 'npm packages',
  stamp: at('node_modules', '.setup-packages'),
  key: () => hash(read(at('package-lock.json')), wishes(at('package.json')), wishes(at('lib', 'package.json')), process.platform, process.arch),
  witness: at('node_modules', 'typescript', 'package.json'),
  size: () => 1100,
  check() {
    const [command, ...args] = npmCommand();
    let cache;
    try {
      cache = execFileSync(command, [...args, 'config', 'get', 'cache', '--no-global'], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env: npmEnvironment() }).trim();
    } catch (error) {
      throw new SetupError(`npm ${error.code === 'ENOENT' ? 'was not found' : 'does not start'} (Node ${process.versions.node} is at ${process.execPath}): reinstall Node from nodejs.org or with nvm, and run it again.`);
    }
    try {
      fs.mkdirSync(cache, { recursive: true });
      fs.rmdirSync(fs.mkdtempSync(path.join(cache, '.writable-')));
    } catch (error) {
      throw new SetupError(`npm's cache ${cache} cannot be written (${error.code}): give yourself write access to it, or put it elsewhere (export npm_config_cache=/tmp/npm-cache), and run it again.`);
    }
  },
  async work() {
    const [command, ...args] = npmCommand();
    const env = npmEnvironment();
    const offline = !registryAnswers(command, args, env);
    if (offline) console.log('  the npm registry does not answer; trying what npm has in its cache');
    await run('npm ci', command, [...args, 'ci', ...flags, ...(offline ? ['--offline'] : [])], { env });
  },
});
