import { escapeHtml, MimeBundle, show } from './display';
import { drawSheet, encodePicture, loadPicture, PictureSource, thumbnail } from './sheet';

export interface GridItem {
  /** Path of a file, an encoded picture, or pixels. */
  image: PictureSource;
  /** Above the caption, in bold: a name, a score. */
  title?: string;
  /** One caption, or one a line. Shown as text: HTML in it is not interpreted. */
  caption?: string | readonly string[];
}

export interface ImageGridOptions {
  title?: string;
  /** Pictures a row. Default 4. */
  columns?: number;
  /** Longer side of the embedded pictures, in pixels. Default 160. */
  size?: number;
  /** How the pictures are embedded: 'jpeg' (small) or 'png' (sharp edges, 256 colours). Default 'jpeg'. */
  format?: 'jpeg' | 'png';
}

const captionLines = (item: GridItem): readonly string[] => (item.caption === undefined ? [] : typeof item.caption === 'string' ? [item.caption] : item.caption);

/** A picture in few words, for those who do not see it. */
const describe = (item: GridItem, i: number): string => captionLines(item)[0] ?? item.title ?? `picture ${i + 1}`;

/** The formats of a picture grid, for {@link show}: HTML with the pictures inside, one picture of the whole, and the texts alone. */
export async function imageGridBundle(items: readonly GridItem[], options: ImageGridOptions = {}): Promise<MimeBundle> {
  const { title, columns = 4, size = 160, format = 'jpeg' } = options;
  if (!(columns >= 1) || !(size >= 8 && size <= 2048)) throw new RangeError(`imageGrid: columns must be 1 or more and size 8 to 2048; got ${columns} and ${size}.`);
  if (items.length === 0) return { 'text/html': '<p>(no pictures)</p>', 'text/plain': '(no pictures)' };
  const thumbnails = await Promise.all(items.map(async (item) => thumbnail(await loadPicture(item.image), size)));
  const encoded = await Promise.all(thumbnails.map((image) => encodePicture(image, format)));
  const figures = items.map((item, i) => {
    const lines = captionLines(item);
    const source = `data:image/${format};base64,${encoded[i].toString('base64')}`;
    return `<figure style="margin:0;width:${size}px"><img src="${source}" alt="${escapeHtml(describe(item, i))}" `
      + `width="${thumbnails[i].width}" height="${thumbnails[i].height}">`
      + '<figcaption style="font-size:90%;line-height:1.3;overflow-wrap:anywhere">' + (item.title === undefined ? '' : `<b>${escapeHtml(item.title)}</b><br>`)
      + `${lines.map(escapeHtml).join('<br>')}</figcaption></figure>`;
  });
  const html = (title === undefined ? '' : `<p><b>${escapeHtml(title)}</b></p>`)
    + `<div style="display:grid;grid-template-columns:repeat(${Math.min(columns, items.length)},${size}px);gap:12px">${figures.join('')}</div>`;
  const sheet = await drawSheet(items.map((item, i) => ({ image: thumbnails[i], title: item.title, lines: captionLines(item) })), { columns, title, format });
  const text = items.map((item, i) => [item.title, ...captionLines(item)].filter(Boolean).join(': ') || describe(item, i));
  return { 'text/html': html, [`image/${format}`]: sheet.toString('base64'), 'text/plain': [title, ...text].filter(Boolean).join('\n') };
}

/**
 * Shows pictures in a grid with titles and captions.
 *
 *     await imageGrid(samples.map((s) => ({ image: s.path, title: `BLEU-4 ${s.bleu}`, caption: [s.generated, s.reference] })));
 *
 * @throws ImageError naming the file that cannot be read
 */
export async function imageGrid(items: readonly GridItem[], options: ImageGridOptions = {}): Promise<void> {
  show(await imageGridBundle(items, options));
}
