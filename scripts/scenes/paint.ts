// Colours and textures as SVG paints.
import type { Colour, Texture } from './classes';
import type { Random } from './random';

type Hsl = readonly [hue: number, saturation: number, lightness: number];

const BASE: Readonly<Record<Colour, Hsl>> = {
  red: [0, 78, 46],
  orange: [27, 96, 53],
  yellow: [51, 96, 55],
  green: [128, 52, 38],
  blue: [216, 78, 49],
  purple: [274, 52, 47],
  pink: [334, 86, 76],
  brown: [24, 54, 32],
  black: [220, 8, 13],
  white: [60, 10, 96],
};

/** The paints of one thing. `width` is the outline's width in the figure's own units. */
export interface Ink {
  readonly fill: string;
  readonly base: string;
  readonly dark: string;
  readonly light: string;
  readonly line: string;
  readonly width: number;
  readonly colour: Colour;
}

/** A coordinate as text, to a tenth of a pixel. */
export const tenths = (value: number): string => (Math.round(value * 10) / 10).toString();

export function hsl([hue, saturation, lightness]: Hsl): string {
  const clamp = (value: number) => Math.min(100, Math.max(0, Math.round(value)));
  return `hsl(${Math.round(hue + 360) % 360},${clamp(saturation)}%,${clamp(lightness)}%)`;
}

/** A shade of the colour, a little different for every thing. */
export function shadeOf(colour: Colour, rng: Random): Hsl {
  const [hue, saturation, lightness] = BASE[colour];
  const grey = colour === 'black' || colour === 'white';
  return [hue + rng.range(-5, 5), saturation + rng.range(-6, 6), lightness + (grey ? rng.range(-3, 3) : rng.range(-4, 4))];
}

/**
 * The ink of a thing, and the SVG definitions it refers to (empty for a plain thing).
 * @param id unique within the picture
 * @param scale pixels for one unit of the figure: the outline and the texture keep their size in pixels
 */
export function inkFor(
  colour: Colour,
  texture: Texture,
  id: string,
  scale: number,
  rng: Random,
): { ink: Ink; definitions: string } {
  const shade = shadeOf(colour, rng);
  const [hue, saturation, lightness] = shade;
  const base = hsl(shade);
  // The second colour of a texture is white on dark colours and a darker shade on light ones, and covers less than half.
  const second =
    lightness > 90
      ? hsl([hue, 4, 58])
      : lightness > 62
        ? hsl([hue, saturation, lightness - 36])
        : colour === 'yellow'
          ? hsl([hue - 14, 90, 36])
          : hsl([hue, saturation * 0.5, 92]);
  const period = rng.range(6.4, 8) / scale;
  const turn = Math.round(rng.range(-50, 50));
  const number = (value: number) => value.toFixed(2);
  const tile =
    `<pattern id="${id}" width="${number(period)}" height="${number(period)}" patternUnits="userSpaceOnUse" ` +
    `patternTransform="rotate(${texture === 'dotted' ? 20 : turn})"><rect width="${number(period)}" ` +
    `height="${number(period)}" fill="${base}"/>`;
  let definitions = '';
  if (texture === 'striped') {
    definitions = `${tile}<rect width="${number(period * 0.42)}" height="${number(period)}" fill="${second}"/></pattern>`;
  } else if (texture === 'dotted') {
    definitions = `${tile}<circle cx="${number(period / 2)}" cy="${number(period / 2)}" r="${number(period * 0.29)}" ` +
      `fill="${second}"/></pattern>`;
  } else if (texture === 'checked') {
    const half = number(period / 2);
    definitions = `${tile}<path d="M0 0h${half}v${half}h-${half}zM${half} ${half}h${half}v${half}h-${half}z" ` +
      `fill="${second}"/></pattern>`;
  }
  return {
    ink: {
      fill: texture === 'plain' ? base : `url(#${id})`,
      base,
      dark: hsl([hue, saturation, lightness > 90 ? lightness - 16 : lightness * 0.74]),
      light: hsl([hue, saturation, lightness + (100 - lightness) * 0.45]),
      line: lightness < 20 ? hsl([hue, 6, 2]) : hsl([hue, saturation * 0.7, lightness * 0.36]),
      width: 1.3 / scale,
      colour,
    },
    definitions,
  };
}
