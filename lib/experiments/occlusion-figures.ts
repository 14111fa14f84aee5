/** Pictures of occlusion for `imageGrid`. */
import { basename } from 'node:path';
import type { CaptionDataset, CaptionSourceRow } from '../datasets';
import {
  decodeImage, occlude, OCCLUSION_FILLS, OCCLUSION_PATTERNS, type ImageSource, type OcclusionOptions, type RgbImage,
} from '../images';
import type { GridItem } from '../notebook/image-grid';

/**
 * One picture at each level of the rows, with what every model said of it: the report's figure 2 and what came of it.
 *
 * @param file the picture's file name
 * @param options as the sweep had them
 * @throws Error when the data set or the rows do not have the picture
 */
export async function occlusionLevels(
  file: string, dataset: CaptionDataset, rows: readonly CaptionSourceRow[], options: Omit<OcclusionOptions, 'name'> = {},
): Promise<GridItem[]> {
  const record = dataset.records.find(({ image }) => basename(image) === file);
  const own = rows.filter(({ imageFilename }) => imageFilename === file);
  if (!record || own.length === 0) throw new Error(`${record ? 'The rows have' : `${dataset.name} has`} no picture ${file}.`);
  const picture = await decodeImage(record.image);
  const levels = [...new Set(own.map(({ occlusionLevel }) => occlusionLevel))].sort((a, b) => a - b);
  const said = ({ sourceModel, generatedCaption }: CaptionSourceRow) => `${sourceModel}: ${generatedCaption || '(nothing)'}`;
  return levels.map((level) => ({
    image: occlude(picture, level, { ...options, name: file }),
    title: `${level} %`,
    caption: own.filter(({ occlusionLevel }) => occlusionLevel === level).map(said),
  }));
}

/** One picture, as much of it hidden in every way there is: the fills over random cells, then the other patterns in black. */
export async function occlusionKinds(image: ImageSource, level: number, options: OcclusionOptions = {}): Promise<GridItem[]> {
  const picture: RgbImage = typeof image === 'string' || image instanceof Uint8Array ? await decodeImage(image) : image;
  const item = (title: string, change: OcclusionOptions): GridItem =>
    ({ image: occlude(picture, level, { ...options, ...change }), title });
  return [
    ...OCCLUSION_FILLS.map((fill) => item(`random, ${fill}`, { pattern: 'random', fill })),
    ...OCCLUSION_PATTERNS.slice(1).map((pattern) => item(`${pattern}, black`, { pattern, fill: 'black' })),
  ];
}
