// Backgrounds: where the ground begins, and the SVG of sky, ground and the small details in them.
import { type Background, CANVAS, type Colour, type Detail, type Sky } from './classes';
import { drawDetail } from './details';
import type { Box } from './geometry';
import { hsl, tenths } from './paint';
import type { Random } from './random';

/** What lies under the horizon: things stand on ground and float on water. */
export type Surface = 'ground' | 'water';

interface BackgroundClass {
  readonly surface: Surface;
  readonly outdoors: boolean;
  /** Range of the line where the ground begins, in pixels from the top. */
  readonly horizon: readonly [number, number];
  /** Colours of things that would be hard to see there. */
  readonly hides: readonly Colour[];
  /** Details that may appear, with their probabilities. */
  readonly details: Readonly<Partial<Record<Detail, number>>>;
}

export const BACKDROPS: Readonly<Record<Background, BackgroundClass>> = {
  meadow: {
    surface: 'ground',
    outdoors: true,
    horizon: [58, 76],
    hides: ['green'],
    details: { sun: 0.25, clouds: 0.35, bush: 0.25, stones: 0.2 },
  },
  beach: {
    surface: 'ground',
    outdoors: true,
    horizon: [62, 78],
    hides: ['yellow'],
    details: { sun: 0.3, clouds: 0.3, shells: 0.45, stones: 0.15 },
  },
  sea: { surface: 'water', outdoors: true, horizon: [44, 58], hides: ['blue'], details: { sun: 0.3, clouds: 0.4 } },
  desert: {
    surface: 'ground',
    outdoors: true,
    horizon: [62, 78],
    hides: ['orange', 'yellow'],
    details: { sun: 0.4, cactus: 0.45, stones: 0.35 },
  },
  snow: {
    surface: 'ground',
    outdoors: true,
    horizon: [58, 76],
    hides: ['white'],
    details: { clouds: 0.2, snowfall: 0.55, bush: 0.2 },
  },
  night: {
    surface: 'ground',
    outdoors: false,
    horizon: [70, 84],
    hides: ['black', 'brown', 'purple'],
    details: { moon: 0.6, stones: 0.15 },
  },
  room: {
    surface: 'ground',
    outdoors: false,
    horizon: [66, 80],
    hides: ['brown', 'orange'],
    details: { window: 0.4, picture: 0.35 },
  },
  bricks: {
    surface: 'ground',
    outdoors: false,
    horizon: [84, 94],
    hides: ['red', 'brown'],
    details: { window: 0.25, bush: 0.2 },
  },
  table: { surface: 'ground', outdoors: false, horizon: [64, 78], hides: ['white'], details: { picture: 0.3, window: 0.15 } },
  street: {
    surface: 'ground',
    outdoors: true,
    horizon: [70, 82],
    hides: ['black'],
    details: { clouds: 0.3, sun: 0.15, bush: 0.3 },
  },
};

/** Colours that vanish before a sky. */
export const SKY_HIDES: Readonly<Record<Sky, readonly Colour[]>> = {
  blue: ['blue'],
  orange: ['orange', 'pink'],
  grey: ['white'],
};

const SKY_PAINTS: Readonly<Record<Sky, readonly (readonly [number, number, number])[]>> = {
  blue: [
    [207, 78, 66],
    [200, 70, 86],
  ],
  orange: [
    [18, 82, 62],
    [40, 92, 76],
  ],
  grey: [
    [210, 8, 64],
    [210, 10, 80],
  ],
};

const n = tenths;

function gradient(id: string, stops: readonly (readonly [number, number, number])[], rng: Random): string {
  const shift = rng.range(-4, 4);
  const light = rng.range(-3, 3);
  return (
    `<linearGradient id="${id}" x2="0" y2="1">` +
    stops
      .map(([h, s, l], i) => `<stop offset="${i / (stops.length - 1)}" stop-color="${hsl([h + shift, s, l + light])}"/>`)
      .join('') +
    '</linearGradient>'
  );
}

/** Short strokes scattered between two heights: grass, ripples, grains. */
function strokes(rng: Random, count: number, top: number, mark: string, attributes: string): string {
  let path = '';
  for (let i = 0; i < count; i++) path += `M${n(rng.range(0, CANVAS))} ${n(rng.range(top + 3, CANVAS))}${mark}`;
  return `<path d="${path}" fill="none" ${attributes}/>`;
}

function ground(background: Background, horizon: number, rng: Random): { definitions: string; body: string } {
  const depth = CANVAS - horizon;
  const plane = (extra = '') => `<rect y="${n(horizon)}" width="${CANVAS}" height="${n(depth)}" fill="url(#ground)"/>${extra}`;
  switch (background) {
    case 'meadow': {
      const hill = n(rng.range(6, 12));
      const at = n(rng.range(15, 60));
      return {
        definitions: gradient(
          'ground',
          [
            [100, 46, 58],
            [112, 46, 42],
          ],
          rng,
        ),
        body:
          `<path d="M0 ${n(horizon + 3)}Q${at} ${n(horizon - Number(hill))} ${n(Number(at) + 34)} ${n(horizon + 1)}T128 ` +
          `${n(horizon)}V128H0Z" fill="url(#ground)"/>` +
          strokes(rng, 34, horizon + 6, 'l1-4', 'stroke="#2f7a2f" stroke-opacity=".55" stroke-width="1"'),
      };
    }
    case 'beach': {
      const shore = horizon + rng.range(8, 12);
      return {
        definitions:
          gradient(
            'ground',
            [
              [44, 64, 76],
              [40, 56, 66],
            ],
            rng,
          ) +
          gradient(
            'water',
            [
              [200, 66, 46],
              [190, 60, 60],
            ],
            rng,
          ),
        body:
          `<rect y="${n(horizon)}" width="128" height="20" fill="url(#water)"/>` +
          `<path d="M0 ${n(shore)}q16 -4 32 0t32 0t32 0t32 0V128H0Z" fill="url(#ground)" stroke="#fff" stroke-width="1.6"/>` +
          strokes(rng, 40, shore, 'h.9', 'stroke="#a8803f" stroke-width=".9"'),
      };
    }
    case 'sea':
      return {
        definitions: gradient(
          'ground',
          [
            [205, 62, 52],
            [212, 68, 34],
          ],
          rng,
        ),
        body: plane(strokes(rng, 26, horizon, 'q3 -3 6 0t6 0', 'stroke="#d8ecf8" stroke-opacity=".5" stroke-width="1"')),
      };
    case 'desert': {
      const crest = rng.range(20, 100);
      return {
        definitions: gradient(
          'ground',
          [
            [38, 76, 66],
            [30, 66, 52],
          ],
          rng,
        ),
        body:
          `<path d="M0 ${n(horizon + 6)}Q${n(crest * 0.5)} ${n(horizon + 4)} ${n(crest)} ${n(horizon - 7)}Q${n(crest + 12)} ` +
          `${n(horizon + 4)} 128 ${n(horizon + 2)}V128H0Z" fill="url(#ground)"/>` +
          strokes(rng, 9, horizon + 10, 'q8 -4 18 0', 'stroke="#a9662a" stroke-opacity=".5" stroke-width="1"'),
      };
    }
    case 'snow':
      return {
        definitions: gradient(
          'ground',
          [
            [205, 26, 96],
            [212, 34, 86],
          ],
          rng,
        ),
        body:
          `<path d="M0 ${n(horizon + 4)}Q36 ${n(horizon - rng.range(3, 9))} 70 ${n(horizon + 2)}T128 ${n(horizon)}V128H0Z" ` +
          `fill="url(#ground)"/>` +
          strokes(rng, 8, horizon + 8, 'q7 -3 14 0', 'stroke="#a9c0d6" stroke-opacity=".8" stroke-width="1"'),
      };
    case 'night': {
      return {
        definitions: gradient(
          'ground',
          [
            [150, 26, 24],
            [150, 28, 15],
          ],
          rng,
        ),
        body: `<path d="M0 ${n(horizon + 4)}Q${n(rng.range(20, 50))} ${n(horizon - 8)} 72 ${n(horizon + 1)}T128 ` +
          `${n(horizon)}V128H0Z" fill="url(#ground)"/>`,
      };
    }
    case 'room': {
      let planks = '';
      for (let y = horizon + 7; y < CANVAS; y += 9) planks += `M0 ${n(y)}H128`;
      for (let y = horizon, odd = 0; y < CANVAS; y += 9, odd++)
        planks += `M${n(18 + ((odd * 47) % 88))} ${n(y === horizon ? y : y - 2)}v9`;
      return {
        definitions: gradient(
          'ground',
          [
            [30, 48, 50],
            [28, 50, 40],
          ],
          rng,
        ),
        body: plane(
          `<path d="${planks}" stroke="#5e3a1a" stroke-opacity=".6" stroke-width=".9" fill="none"/>` +
            `<rect y="${n(horizon - 4)}" width="128" height="4" fill="#f4efe6" stroke="#b9ae9c" stroke-width=".5"/>`,
        ),
      };
    }
    case 'bricks':
      return {
        definitions: gradient(
          'ground',
          [
            [215, 5, 66],
            [215, 5, 56],
          ],
          rng,
        ),
        body: plane(`<path d="M0 ${n(horizon)}H128" stroke="#555" stroke-width="1.4"/>`),
      };
    case 'table': {
      // A checked tablecloth, paler than any thing on it.
      const hue = rng.pick([160, 200, 350] as const);
      return {
        definitions:
          `<pattern id="ground" width="18" height="12" patternUnits="userSpaceOnUse" x="${rng.int(18)}">` +
          `<rect width="18" height="12" fill="${hsl([hue, 30, 92])}"/><path d="M0 0h9v12H0z" fill="${hsl([hue, 45, 70])}" ` +
          `fill-opacity=".5"/>` +
          `<path d="M0 0h18v6H0z" fill="${hsl([hue, 45, 70])}" fill-opacity=".5"/></pattern>`,
        body: plane(`<path d="M0 ${n(horizon)}H128" stroke="${hsl([hue, 30, 52])}" stroke-width="1.6"/>`),
      };
    }
    case 'street': {
      const kerb = horizon + 9;
      let dashes = '';
      for (let x = rng.range(-20, 0); x < CANVAS; x += 30) dashes += `M${n(x)} ${n((kerb + CANVAS) / 2)}h16`;
      return {
        definitions: gradient(
          'ground',
          [
            [220, 4, 40],
            [220, 5, 30],
          ],
          rng,
        ),
        body: plane(
          `<rect y="${n(horizon)}" width="128" height="${n(kerb - horizon)}" fill="#b9b7b0"/>` +
            `<path d="M0 ${n(kerb)}H128" stroke="#7f7d77" stroke-width="1.6"/><path d="${dashes}" stroke="#f2f0e6" ` +
            `stroke-width="2.2" fill="none"/>`,
        ),
      };
    }
  }
}

function skyOrWall(
  background: Background,
  sky: Sky | undefined,
  horizon: number,
  rng: Random,
): { definitions: string; body: string } {
  const plane = (paint: string) => `<rect width="128" height="${n(horizon + 8)}" fill="${paint}"/>`;
  if (sky) return { definitions: gradient('sky', SKY_PAINTS[sky], rng), body: plane('url(#sky)') };
  if (background === 'night') {
    let stars = '';
    for (let i = 0; i < 22; i++) stars += `M${n(rng.range(0, CANVAS))} ${n(rng.range(0, horizon - 4))}h1`;
    return {
      definitions: gradient(
        'sky',
        [
          [236, 50, 12],
          [228, 48, 26],
        ],
        rng,
      ),
      body: `${plane('url(#sky)')}<path d="${stars}" stroke="#f4f0d8" stroke-width="1"/>`,
    };
  }
  if (background === 'bricks') {
    const shade = rng.range(-4, 4);
    const brick = hsl([10 + shade, 46, 42 + shade]);
    return {
      definitions:
        `<pattern id="wall" width="20" height="12" patternUnits="userSpaceOnUse" x="${rng.int(20)}"><rect width="20" ` +
        `height="12" fill="#c9b5a4"/>` +
        `<path d="M0 0h19v5H0zM-10 6h19v5h-19zM10 6h19v5h-19z" fill="${brick}"/></pattern>`,
      body: plane('url(#wall)'),
    };
  }
  // Wallpaper: pale, in any of a few tints.
  const [hue, saturation, lightness] = rng.pick([
    [46, 44, 84],
    [140, 20, 80],
    [205, 30, 82],
    [330, 26, 86],
    [270, 20, 85],
  ] as const);
  return {
    definitions: gradient(
      'sky',
      [
        [hue, saturation, lightness],
        [hue, saturation, lightness - 5],
      ],
      rng,
    ),
    body: plane('url(#sky)'),
  };
}

export interface Backdrop {
  readonly definitions: string;
  readonly body: string;
  /** The details that found room. */
  readonly details: readonly Detail[];
}

const IN_SKY: readonly Detail[] = ['sun', 'moon', 'clouds', 'window', 'picture'];

/** The SVG behind the things of a scene, whose boxes are given so that none of them hides a detail. */
export function drawBackdrop(
  background: Background,
  sky: Sky | undefined,
  horizon: number,
  details: readonly Detail[],
  things: readonly Box[],
  rng: Random,
): Backdrop {
  const far = skyOrWall(background, sky, horizon, rng);
  const near = ground(background, horizon, rng);
  const taken = [...things];
  const drawn: { name: Detail; body: string }[] = [];
  for (const name of details) {
    const detail = drawDetail(name, horizon, taken, rng);
    if (!detail) continue;
    drawn.push({ name, body: detail.body });
    taken.push(...detail.boxes);
  }
  const bodies = (inSky: boolean) =>
    drawn
      .filter(({ name }) => IN_SKY.includes(name) === inSky)
      .map(({ body }) => body)
      .join('');
  return {
    definitions: far.definitions + near.definitions,
    body: far.body + bodies(true) + near.body + bodies(false),
    details: drawn.map(({ name }) => name),
  };
}
