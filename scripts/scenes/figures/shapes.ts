// Geometric shapes: flat, without any detail.
import { type Figure, type Point, polygon, ring } from './figure';

const corners: Point[] = [
  [4, 4],
  [96, 4],
  [96, 96],
  [4, 96],
];
const triangle: Point[] = [
  [50, 4],
  [98, 90],
  [2, 90],
];
const star: Point[] = Array.from({ length: 10 }, (_, i) => {
  const radius = i % 2 === 0 ? 50 : 21;
  const angle = (Math.PI * i) / 5 - Math.PI / 2;
  return [Math.round((50 + radius * Math.cos(angle)) * 10) / 10, Math.round((52 + radius * Math.sin(angle)) * 10) / 10] as const;
});

export const SHAPES = {
  circle: { hull: ring(50, 50, 46, 46), draw: (ink) => `<circle cx="50" cy="50" r="46" fill="${ink.fill}"/>` },
  square: {
    hull: corners,
    draw: (ink) => polygon(corners, `fill="${ink.fill}"`),
    seat: { y: 4, left: 4, right: 96 },
  },
  triangle: { hull: triangle, draw: (ink) => polygon(triangle, `fill="${ink.fill}"`) },
  star: { hull: star.filter((_, i) => i % 2 === 0), draw: (ink) => polygon(star, `fill="${ink.fill}"`) },
  heart: {
    hull: [
      [50, 92], [3.5, 40], [2, 30], [4, 18], [14, 6.5], [28, 2.7], [72, 2.7], [86, 6.5], [96, 18], [98, 30], [96.5, 40],
    ],
    draw: (ink) =>
      `<path d="M50 92C20 66 2 50 2 30C2 12 14 2 28 2C38 2 46 8 50 17C54 8 62 2 72 2C86 2 98 12 98 30C98 50 80 66 50 92Z" ` +
      `fill="${ink.fill}"/>`,
  },
} satisfies Record<string, Figure>;
