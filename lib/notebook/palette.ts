/**
 * Colours told apart with any kind of colour vision: Okabe and Ito, "Color Universal Design" (2008), the darker ones first because
 * they carry thin lines on white.
 */
export const PALETTE: readonly string[] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000', '#F0E442'];

/** Plotly's names of line styles, a second way to tell series apart once colours repeat or print in grey. */
export const DASHES: readonly string[] = ['solid', 'dash', 'dot', 'dashdot'];

/** Dark to bright with rising lightness (after matplotlib's cividis): position in [0, 1] and colour. */
export const SEQUENTIAL: readonly (readonly [number, string])[] = [
  [0, '#00224E'], [0.25, '#434E6C'], [0.5, '#7D7C78'], [0.75, '#BBAD6C'], [1, '#FEE838'],
];
