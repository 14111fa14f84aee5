// Boxes, and what one is to another. The generator accepts a layout, and the tests a caption, by these same rules.
import type { Predicate } from './classes';

/** x and y of the top left corner, width and height, in pixels. */
export type Box = readonly [x: number, y: number, width: number, height: number];

export const right = (box: Box) => box[0] + box[2];
export const bottom = (box: Box) => box[1] + box[3];
export const centreX = (box: Box) => box[0] + box[2] / 2;
export const centreY = (box: Box) => box[1] + box[3] / 2;
export const area = (box: Box) => box[2] * box[3];

/** A box and two pixels around it. */
export const grown = (box: Box): Box => [box[0] - 2, box[1] - 2, box[2] + 4, box[3] + 4];

export function union(boxes: readonly Box[]): Box {
  const left = Math.min(...boxes.map((box) => box[0]));
  const top = Math.min(...boxes.map((box) => box[1]));
  return [left, top, Math.max(...boxes.map(right)) - left, Math.max(...boxes.map(bottom)) - top];
}

/** Length of what two intervals share, negative where there is a gap between them. */
export function shared(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  return Math.min(aHigh, bHigh) - Math.max(aLow, bLow);
}

export function overlap(a: Box, b: Box): number {
  return Math.max(0, shared(a[0], right(a), b[0], right(b))) * Math.max(0, shared(a[1], bottom(a), b[1], bottom(b)));
}

/** The gap between two boxes side by side, below zero where they overlap. */
export const gapX = (a: Box, b: Box) => -shared(a[0], right(a), b[0], right(b));

const level = (a: Box, b: Box) => shared(a[1], bottom(a), b[1], bottom(b)) >= 0.4 * Math.min(a[3], b[3]);
const inLine = (a: Box, b: Box) => shared(a[0], right(a), b[0], right(b)) >= 0.4 * Math.min(a[2], b[2]);

/**
 * Whether "a PREDICATE b" is true of the boxes. Which of two overlapping things hides the other cannot be told from
 * boxes: `behind` and `in front of` compare how low the boxes end, as things standing nearer end lower in the picture.
 */
export function holds(predicate: Predicate, a: Box, b: Box): boolean {
  switch (predicate) {
    case 'left of':
      return right(a) <= b[0] + 1 && level(a, b);
    case 'right of':
      return holds('left of', b, a);
    case 'above':
      return bottom(a) <= b[1] && inLine(a, b);
    case 'below':
      return holds('above', b, a);
    case 'on': {
      const sunk = bottom(a) - b[1];
      return (
        sunk >= -2 &&
        sunk <= Math.max(4, 0.62 * b[3]) &&
        bottom(a) < bottom(b) - 4 &&
        a[1] < b[1] &&
        centreX(a) > b[0] &&
        centreX(a) < right(b)
      );
    }
    case 'under':
      return holds('on', b, a);
    case 'behind': {
      const hidden = overlap(a, b) / area(a);
      return hidden >= 0.1 && hidden <= 0.5 && bottom(a) <= bottom(b) - 3;
    }
    case 'in front of':
      return holds('behind', b, a);
  }
}

export const INVERSE: Readonly<Record<Predicate, Predicate>> = {
  'left of': 'right of',
  'right of': 'left of',
  above: 'below',
  below: 'above',
  on: 'under',
  under: 'on',
  behind: 'in front of',
  'in front of': 'behind',
};
