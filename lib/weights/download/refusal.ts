/** What an answer other than the file means, and what the reader can do about it. */
import { HubError, printableText, printableUrl } from './hub-error';
import { PassingError, type HubAnswer } from './hub-request';
import type { HubSource } from './hub-source';

/** A 404 without the hub's reason: of a server that does not have this address at all. */
export class NoSuchPathError extends HubError {
  override name = 'NoSuchPathError';
}

/** Seconds from now, from a number or a date. */
export function retryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,6}$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}

/**
 * The error for a status that is not 200 or 206: a PassingError where waiting may help.
 *
 * @param file asked for; absent when it was the list of files.
 */
export function refusal(answer: HubAnswer, { settings, repository, revision }: HubSource, file?: string): HubError | PassingError {
  const { status, headers, url } = answer, { endpoint, token } = settings;
  const header = (name: string): string => printableText(String(headers[name] ?? ''));
  const page = `${endpoint.href.replace(/\/$/, '')}/${repository}`, code = header('x-error-code'), said = header('x-error-message');
  const tail = said && ` (the server says: ${said})`;
  if (status === 429 || status === 408 || status >= 500) {
    return new PassingError(`${printableUrl(url)} answers ${status}${tail}`, retryAfter(headers['retry-after']));
  }
  if (code === 'GatedRepo' || (status === 403 && /gated|access to model/i.test(said))) {
    const account = token ? ' with the account of your token' : ', then give a token of that account by HF_TOKEN';
    return new HubError(`${repository} is open only to those who accepted its terms: accept them at ${page}${account}.${tail}`);
  }
  if (code === 'RevisionNotFound') {
    return new HubError(`${repository} has no revision ${revision}: see ${page}/tree/main for its branches and tags.`);
  }
  const NotFound = status === 404 && code === '' ? NoSuchPathError : HubError;
  if (code === 'EntryNotFound' || (file !== undefined && NotFound === NoSuchPathError)) {
    return new NotFound(`${repository} has no file ${file ?? ''} at revision ${revision}.${tail}`);
  }
  if (status === 401 || status === 404) {
    const why = token ? 'the token is not valid, or its account may not see it' : 'a private one needs a token (HF_TOKEN)';
    return new NotFound(`${repository} was not found at ${endpoint.origin} (${status}): check the name; ${why}.${tail}`);
  }
  if (status === 403) {
    const why = token ? 'the token lacks the right to read it' : 'a token may be needed (HF_TOKEN), or a proxy stands between';
    return new HubError(`${endpoint.origin} refuses ${repository} (403): ${why}.${tail}`);
  }
  return new HubError(`${printableUrl(url)} answers ${status}, which was not expected${tail}: `
    + 'if HF_ENDPOINT names a mirror, check that it is one of the hub.');
}
