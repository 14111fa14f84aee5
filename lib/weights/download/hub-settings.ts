/** Where the hub is, who asks, and where files are kept: options first, then the environment variables of Python's huggingface_hub. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { inProject } from '../../project';
import { HubError } from './hub-error';

export interface HubOptions {
  /** Address of the hub or a mirror; default HF_ENDPOINT, else https://huggingface.co. */
  endpoint?: string;
  /** Default HF_TOKEN, else what `hf auth login` stored (HF_TOKEN_PATH or $HF_HOME/token). */
  token?: string;
  /** Ask no server; default HF_HUB_OFFLINE. */
  offline?: boolean;
  /** Folder of the cache; default `hubCacheFolder()`. */
  cache?: string;
}

export interface HubSettings {
  endpoint: URL;
  token?: string;
  offline: boolean;
  cache: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const isTrue = (value: string | undefined): boolean => /^(1|on|yes|true)$/i.test(value ?? '');

/** As Python expands it: ~ and $VARIABLE. */
function expanded(folder: string, env: Environment): string {
  const atHome = folder.replace(/^~(?=\/|$)/, os.homedir());
  return path.resolve(atHome.replace(/\$(\w+|\{\w+\})/g, (whole, name: string) => env[name.replace(/[{}]/g, '')] ?? whole));
}

/**
 * The folder that holds models--owner--repository: HF_HUB_CACHE, or hub in HF_HOME, where one of them is set, so that Python and this
 * library find each other's downloads; else weights/cache in the project.
 */
export function hubCacheFolder(env: Environment = process.env): string {
  const named = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  if (named) return expanded(named, env);
  return env.HF_HOME ? path.join(expanded(env.HF_HOME, env), 'hub') : inProject('weights', 'cache');
}

/** @throws HubError when the endpoint is no address, or would send a token in the clear. */
export function hubSettings(options: HubOptions = {}, env: Environment = process.env): HubSettings {
  const endpoint = parseEndpoint(options.endpoint || env.HF_ENDPOINT || 'https://huggingface.co');
  const token = checkToken(options.token || env.HF_TOKEN || storedToken(env));
  const local = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(endpoint.hostname);
  if (token && endpoint.protocol === 'http:' && !local) {
    throw new HubError(`${endpoint.origin} is not https, so anyone on the way could read your token: `
      + 'use https, or leave out the token (HF_TOKEN).');
  }
  const offline = options.offline || isTrue(env.HF_HUB_OFFLINE) || isTrue(env.TRANSFORMERS_OFFLINE);
  return { endpoint, token, offline, cache: options.cache ?? hubCacheFolder(env) };
}

function parseEndpoint(text: string): URL {
  let url: URL;
  const refuse = (why: string) => new HubError(`The endpoint (--endpoint or HF_ENDPOINT) ${why}: expected e.g. https://huggingface.co.`);
  try { url = new URL(text); } catch { throw refuse('is no address'); }
  if (!/^https?:$/.test(url.protocol)) throw refuse(`has the scheme ${url.protocol}//`);
  if (url.username || url.password) throw refuse('holds a user name or password, where a token by HF_TOKEN belongs');
  if (url.search || url.hash) throw refuse('has a "?" or "#"');
  return url;
}

function storedToken(env: Environment): string | undefined {
  if (isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const home = env.HF_HOME || path.join(env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'huggingface');
  const file = env.HF_TOKEN_PATH || path.join(home, 'token');
  try { return fs.readFileSync(expanded(file, env), 'utf8'); } catch { return undefined; }
}

function checkToken(text: string | undefined): string | undefined {
  const token = text?.trim();
  if (!token) return undefined;
  if (/^[\x21-\x7e]{1,1000}$/.test(token)) return token;
  throw new HubError('The token (--token, HF_TOKEN or the stored one) holds spaces or characters that no token has: copy it again.');
}
