// The small things of a background that most annotators pass over: sun, clouds, a window, stones.
import { CANVAS, type Detail } from './classes';
import { area, type Box, overlap } from './geometry';
import { tenths } from './paint';
import type { Random } from './random';

const n = tenths;

interface Piece {
  readonly body: string;
  readonly box: Box;
}

/** The pieces of a detail, each with its place: two or three clouds, one sun. */
function pieces(name: Detail, horizon: number, rng: Random): Piece[] {
  // Details keep to the sides, where they take little attention.
  const side = rng.chance(0.5) ? rng.range(12, 30) : rng.range(98, 116);
  const several = (count: number, make: () => Piece) => Array.from({ length: count }, make);
  switch (name) {
    case 'sun': {
      const y = rng.range(11, 20);
      return [
        {
          body: `<circle cx="${n(side)}" cy="${n(y)}" r="8" fill="#ffe46a" stroke="#fff3b8" stroke-width="2"/>`,
          box: [side - 9, y - 9, 18, 18],
        },
      ];
    }
    case 'moon': {
      const y = rng.range(12, 20);
      return [
        {
          body: `<path d="M${n(side)} ${n(y - 8)}a8 8 0 1 0 7 12a6.5 6.5 0 0 1 -7 -12z" fill="#f6f0c4"/>`,
          box: [side - 9, y - 9, 17, 18],
        },
      ];
    }
    case 'clouds':
      return several(3, () => {
        const x = rng.range(6, 98);
        const y = rng.range(12, Math.max(16, horizon - 24));
        return {
          body: `<path d="M${n(x)} ${n(y)}a5 5 0 0 1 6 -5a6 6 0 0 1 11 0a5 5 0 0 1 6 5z" fill="#fff" fill-opacity=".85"/>`,
          box: [x, y - 10, 23, 10],
        };
      });
    case 'window': {
      const x = side < 64 ? rng.range(4, 10) : rng.range(92, 98);
      return [
        {
          body:
            `<rect x="${n(x)}" y="8" width="24" height="28" fill="#bfe0f6" stroke="#fdfdfb" stroke-width="2.4"/>` +
            `<path d="M${n(x + 12)} 8v28M${n(x)} 22h24" stroke="#fdfdfb" stroke-width="1.6"/>`,
          box: [x - 1, 7, 26, 30],
        },
      ];
    }
    case 'picture': {
      const x = side < 64 ? rng.range(5, 14) : rng.range(90, 98);
      return [
        {
          body:
            `<rect x="${n(x)}" y="10" width="22" height="17" fill="#e7ecd8" stroke="#6a4b22" stroke-width="2"/>` +
            `<path d="M${n(x + 2)} 25l6 -8 5 5 3 -3 5 6z" fill="#7f9f7a"/>`,
          box: [x - 1, 9, 24, 19],
        },
      ];
    }
    case 'cactus': {
      const x = side < 64 ? rng.range(8, 14) : rng.range(112, 119);
      const y = horizon + rng.range(4, 8);
      return [
        {
          body: `<path d="M${n(x)} ${n(y)}v-20M${n(x)} ${n(y - 8)}h-5v-6M${n(x)} ${n(y - 6)}h5v-7" stroke="#3f7d46" ` +
            `stroke-width="3" fill="none" stroke-linecap="round"/>`,
          box: [x - 7, y - 21, 14, 21],
        },
      ];
    }
    case 'bush':
      return [
        {
          body: `<path d="M${n(side - 10)} ${n(horizon + 7)}a6 6 0 0 1 5 -8a7 7 0 0 1 12 0a6 6 0 0 1 4 8z" fill="#3c6e3e" ` +
            `stroke="#27502a" stroke-width=".8"/>`,
          box: [side - 11, horizon - 8, 23, 15],
        },
      ];
    case 'stones':
      return several(3, () => {
        const x = rng.range(4, 124);
        const y = rng.range(horizon + 14, 125);
        return {
          body: `<ellipse cx="${n(x)}" cy="${n(y)}" rx="${n(rng.range(2, 3.6))}" ry="1.8" fill="#8d8a86" stroke="#5f5c58" ` +
            `stroke-width=".6"/>`,
          box: [x - 4, y - 2, 8, 4],
        };
      });
    case 'shells':
      return several(4, () => {
        const x = rng.range(6, 120);
        const y = rng.range(horizon + 24, 125);
        return {
          body: `<path d="M${n(x)} ${n(y)}l-3 -4a4 4 0 0 1 6 0z" fill="#f6d9cf" stroke="#b98d80" stroke-width=".6"/>`,
          box: [x - 3, y - 6, 6, 6],
        };
      });
    case 'snowfall': {
      let path = '';
      for (let i = 0; i < 36; i++) path += `M${n(rng.range(0, CANVAS))} ${n(rng.range(0, CANVAS))}h.1`;
      // It falls everywhere: no thing hides it.
      return [{ body: `<path d="${path}" stroke="#fff" stroke-width="2" stroke-linecap="round"/>`, box: [0, 0, 0, 0] }];
    }
  }
}

/**
 * Draws a detail where nothing that is there already hides a good part of it, and returns where it is; undefined where there
 * is no such place.
 */
export function drawDetail(name: Detail, horizon: number, taken: readonly Box[], rng: Random): { body: string; boxes: Box[] } | undefined {
  for (let attempt = 0; attempt < 8; attempt++) {
    const visible = pieces(name, horizon, rng).filter(({ box }) => taken.every((other) => overlap(box, other) <= 0.15 * area(box)));
    // One cloud is no clouds.
    const enough = name === 'clouds' || name === 'stones' || name === 'shells' ? 2 : 1;
    if (visible.length >= enough) return { body: visible.map(({ body }) => body).join(''), boxes: visible.map(({ box }) => box) };
  }
  return undefined;
}
