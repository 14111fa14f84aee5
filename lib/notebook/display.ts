/**
 * Sending outputs to the notebook. A cell's output is a MIME bundle: the same thing in several formats, of which each front end
 * shows the richest it knows (JupyterLab the interactive chart, a code hosting site the picture, a terminal the text).
 *
 * The kernel starter (scripts/kernel) leaves a link under a well-known symbol. Where there is none (tests, plain scripts) nothing
 * is shown and nothing fails.
 */
export type MimeBundle = Record<string, unknown>;

/** The message content of Jupyter's display_data and update_display_data. */
export interface DisplayContent { data: MimeBundle; metadata: Record<string, unknown>; transient: { display_id?: string } }

/** What the kernel starter offers the library. */
export interface KernelLink {
  writeDisplay(content: DisplayContent, update: boolean): void;
  /** Called in order when the stop button is pressed; while there is one, the cell itself is not torn down. */
  readonly interruptHandlers: Set<() => void>;
  /** Gives the bundle for values that do not know how to show themselves; undefined for "print it". */
  describe?: (value: unknown) => MimeBundle | Promise<MimeBundle> | undefined;
}

const LINK = Symbol.for('captioning.kernel');

/** An object with this method decides how a notebook shows it (the convention of Deno's kernel). */
export const DISPLAY: unique symbol = Symbol.for('Jupyter.display') as never;

export interface Displayable { [DISPLAY](): MimeBundle | Promise<MimeBundle> }

export const kernelLink = (): KernelLink | undefined => (globalThis as Record<symbol, unknown>)[LINK] as KernelLink | undefined;

/** Whether this code runs in a notebook. */
export const inNotebook = (): boolean => kernelLink() !== undefined;

/**
 * Shows one output. With an `id` the output can be replaced later: the same id with `update: true`.
 */
export function show(data: MimeBundle, options: { id?: string; update?: boolean } = {}): void {
  const { id, update = false } = options;
  kernelLink()?.writeDisplay({ data, metadata: {}, transient: id === undefined ? {} : { display_id: id } }, update);
}

/** Text with U+FFFD for characters that XML, and so SVG, has no place for. */
export const xmlText = (text: string): string => text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd');

/** Text made safe for HTML and SVG, in element content and in quoted attributes alike. */
export function escapeHtml(text: unknown): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };
  return xmlText(String(text)).replace(/[&<>"']/g, (character) => entities[character]);
}

/** Shows text as it is, in a paragraph; HTML in it is not interpreted. */
export const showText = (text: string): void => show({ 'text/plain': text, 'text/html': `<p style="white-space:pre-wrap">${escapeHtml(text)}</p>` });

/** Shows Markdown. The caller answers for the content: front ends turn HTML inside it into HTML. */
export const showMarkdown = (markdown: string): void => show({ 'text/markdown': markdown, 'text/plain': markdown });

/** Shows an encoded PNG or JPEG. */
export function showPicture(encoded: Uint8Array, description = 'picture'): void {
  const type = encoded[0] === 0xff ? 'image/jpeg' : 'image/png';
  show({ [type]: Buffer.from(encoded).toString('base64'), 'text/plain': `[${description}]` });
}
