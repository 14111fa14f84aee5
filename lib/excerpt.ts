/** What a file holds, made fit for a message: a hostile one may hold megabytes without a blank, or characters that steer a terminal. */

/** Text short enough for a message, on one line and with control characters escaped. */
export function excerpt(text: string, length = 60): string {
  const shown = JSON.stringify(text.length > length ? `${text.slice(0, length)}…` : text);
  return `'${shown.slice(1, -1).replace(/\\"/g, '"')}'`;
}

/** A path is never longer. */
const LONGEST_WORD = 1000;

/** A message whose words are no longer than a path may be, without control characters but line ends. */
export const readable = (message: string): string => message.replace(new RegExp(`\\S{${LONGEST_WORD},}`, 'g'),
  (word) => `${word.slice(0, 200)}…`)
  .replace(/(?!\n)\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
