/** Whether an error is one that a reader of outside data may end with. */
import { Wrong } from './target';

const LONGEST_MESSAGE = 2500;
/** What the engine throws when nobody looked; a RangeError is often meant, so its message decides. */
const INTERNAL = ['TypeError', 'SyntaxError', 'ReferenceError', 'URIError', 'EvalError', 'ZodError', 'AssertionError', 'AggregateError'];
const OF_THE_ENGINE = /call stack|Invalid (typed )?array length|Invalid string length|allocation failed|out of range|Invalid count value|Cannot (read|convert|set)/;

/**
 * What is wrong with an error, undefined if nothing: it must be an Error of the library's own, and say which of the files it is about.
 *
 * @param names of files and folders, one of which the message must hold
 */
export function errorProblem(error: unknown, names: readonly string[]): string | undefined {
  if (!(error instanceof Error)) return `something else than an Error was thrown: ${String(error).slice(0, 200)}`;
  const { name, message } = error, { code } = error as NodeJS.ErrnoException;
  if (error instanceof Wrong) return `a wrong result: ${message}`;
  if (INTERNAL.includes(name) || INTERNAL.includes(error.constructor.name)) return `an error from inside: ${name}`;
  if (name === 'RangeError' && OF_THE_ENGINE.test(message)) return 'an error from inside: RangeError';
  if (code !== undefined) return `an error of the system as it came: ${code}`;
  if (message.length > LONGEST_MESSAGE) return `a message of ${message.length} characters`;
  if (!names.some((file) => message.includes(file))) return 'a message that names no file';
  return undefined;
}
