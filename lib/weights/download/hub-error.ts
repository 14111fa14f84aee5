/**
 * A download that cannot be done; the message says what to do. It never holds a token, nor the query of an address, where servers put
 * signatures.
 */
export class HubError extends Error {
  override name = 'HubError';
}

/** The server could not be reached, or not for long enough. */
export class UnreachableError extends HubError {
  override name = 'UnreachableError';
}

/** An address without what may be secret in it. */
export const printableUrl = (url: URL): string => `${url.origin}${url.pathname}`;

/** Text from a server, fit for a terminal. */
export const printableText = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 300).trim();
