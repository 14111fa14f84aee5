// What a drawable figure is. Coordinates are the figure's own: x to the right, y down, from 0 to about 100.
import type { Ink } from '../paint';

export type Point = readonly [x: number, y: number];

export interface Figure {
  /** Points of which the drawing's convex hull is made, outlines not counted: they give the box after a rotation. */
  readonly hull: readonly Point[];
  /** SVG elements; they inherit the outline (stroke) of the group they are put in. */
  draw(ink: Ink): string;
  /** Where another thing can rest: its height, and from where to where. Absent: nothing rests on it. */
  readonly seat?: { readonly y: number; readonly left: number; readonly right: number };
}

/** Points of an ellipse, for hulls. */
export function ring(cx: number, cy: number, rx: number, ry: number, count = 24): Point[] {
  return Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * i) / count;
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)] as const;
  });
}

export function polygon(points: readonly Point[], attributes: string): string {
  return `<polygon points="${points.map(([x, y]) => `${x},${y}`).join(' ')}" ${attributes}/>`;
}
