// Things people made.
import type { Figure } from './figure';

const PANE = '#cfe6f5';

export const THINGS = {
  house: {
    hull: [
      [100, 46], [88, 100], [12, 100], [0, 46], [50, 0], [82, 6],
    ],
    draw: (ink) =>
      `<rect x="70" y="6" width="12" height="26" fill="${ink.dark}"/>` +
      `<rect x="12" y="44" width="76" height="56" fill="${ink.fill}"/>` +
      `<path d="M50 0L100 46H0Z" fill="${ink.dark}"/>` +
      `<rect x="22" y="58" width="20" height="18" fill="${PANE}"/><path d="M32 58v18M22 67h20" fill="none"/>` +
      `<rect x="56" y="62" width="20" height="38" fill="#f0e2c2"/><circle cx="72" cy="82" r="2" fill="#333" stroke="none"/>`,
    seat: { y: 14, left: 40, right: 60 },
  },
  car: {
    hull: [
      [118, 35], [118, 54], [93, 66.5], [91, 67], [26, 66.5], [2, 54], [2, 38], [2, 32], [2.5, 31], [4, 29.5], [33, 4.5],
      [34, 4], [35, 4], [76, 4], [78, 5], [115.5, 30.5], [117, 32], [118, 33.5],
    ],
    draw: (ink) =>
      `<path d="M2 34Q2 28 10 28L20 27L32 6Q33 4 36 4H74Q78 4 80 7L94 26L112 29Q118 30 118 36V54H2Z" fill="${ink.fill}"/>` +
      `<path d="M28 27L38 10H54V27ZM60 10H73L85 27H60Z" fill="${PANE}"/>` +
      `<circle cx="30" cy="54" r="13" fill="#26262a" stroke="#000"/><circle cx="30" cy="54" r="5.5" fill="#c9ccd1" ` +
      `stroke="none"/>` +
      `<circle cx="90" cy="54" r="13" fill="#26262a" stroke="#000"/><circle cx="90" cy="54" r="5.5" fill="#c9ccd1" ` +
      `stroke="none"/>` +
      `<rect x="112" y="37" width="6" height="7" fill="#ffe9a0"/>`,
    seat: { y: 4, left: 36, right: 76 },
  },
  boat: {
    hull: [
      [98, 70], [84.5, 95.5], [84, 96], [18, 96], [2, 70.5], [2, 70], [49, 0], [53, 0], [78, 35],
    ],
    draw: (ink) =>
      `<rect x="49" y="0" width="4" height="72" fill="#6b4a2c"/>` +
      `<path d="M55 5Q82 34 88 60H55Z" fill="${ink.fill}"/><path d="M46 12Q26 38 10 60H46Z" fill="${ink.fill}"/>` +
      `<path d="M2 70H98L84 96H18Z" fill="${ink.dark}"/>`,
  },
  ball: {
    hull: [
      [97, 47.5], [95.5, 61.5], [90.5, 74], [85, 81.5], [74, 90.5], [62, 95.5], [47.5, 97], [38.5, 95.5], [26.5, 91],
      [16, 82.5], [9, 73.5], [4.5, 61.5], [3, 47.5], [4.5, 38], [9, 26.5], [18.5, 15], [26.5, 9], [38.5, 4.5], [47.5, 3],
      [62, 4.5], [73.5, 9], [82.5, 16], [91, 26.5], [95.5, 38.5],
    ],
    draw: (ink) =>
      `<circle cx="50" cy="50" r="47" fill="${ink.fill}"/>` +
      `<path d="M24 11Q52 50 24 89M76 11Q48 50 76 89" fill="none" stroke-width="${(ink.width * 1.5).toFixed(1)}"/>` +
      `<ellipse cx="36" cy="24" rx="14" ry="8" fill="#fff" fill-opacity=".6" stroke="none" transform="rotate(-28 36 24)"/>`,
  },
  cup: {
    hull: [
      [101, 34], [100.5, 44], [97, 52], [93.5, 57], [68, 80], [61, 82.5], [38, 85], [21, 82.5], [14, 80], [14, 79.5], [4, 8],
      [6, 6.5], [10.5, 5], [36, 2], [72, 5], [76, 6.5], [95, 19.5], [98, 23.5], [100, 28],
    ],
    draw: (ink) =>
      `<path d="M70 22Q98 14 96 40Q92 62 68 58" fill="none" stroke="${ink.line}" stroke-width="10"/>` +
      `<path d="M70 22Q98 14 96 40Q92 62 68 58" fill="none" stroke="${ink.dark}" stroke-width="6"/>` +
      `<path d="M4 8L14 80Q41 90 68 80L78 8Z" fill="${ink.fill}"/>` +
      `<ellipse cx="41" cy="9" rx="37" ry="7" fill="${ink.light}"/><ellipse cx="41" cy="10" rx="30" ry="4.5" fill="#5b3a22" ` +
      `stroke="none"/>`,
  },
  umbrella: {
    hull: [
      [48, 0], [52, 0], [98, 51.5], [98, 54], [72.5, 103], [71, 105], [68, 107.5], [64.5, 109], [58.5, 109.5], [55.5, 109], [52.5, 108],
      [49.5, 105.5], [2, 54], [2, 51.5], [3.5, 41.5], [8.5, 30], [17.5, 18.5], [26, 12.5], [37.5, 7.5], [47.5, 6],
      [62.5, 7.5], [74, 12.5], [82.5, 18.5], [91.5, 30], [96.5, 42],
    ],
    draw: (ink) =>
      `<path d="M50 50V96Q50 106 60 106Q70 106 71 95" fill="none" stroke="${ink.line}" stroke-width="7"/>` +
      `<path d="M50 50V96Q50 106 60 106Q70 106 71 95" fill="none" stroke="#8d8f96" stroke-width="3.5"/>` +
      `<path d="M50 8V0" stroke-width="4"/>` +
      `<path d="M2 54A48 48 0 0 1 98 54Q90 46 82 54Q74 46 66 54Q58 46 50 54Q42 46 34 54Q26 46 18 54Q10 46 2 54Z" ` +
      `fill="${ink.fill}"/>` +
      `<path d="M34 54Q36 20 50 6Q64 20 66 54" fill="none"/>`,
  },
  balloon: {
    hull: [
      [76, 39.5], [74.5, 54], [39, 125.5], [37, 126.5], [36, 125.5], [5.5, 54], [4, 39.5], [5.5, 30], [9.5, 19.5],
      [17.5, 10], [24, 5.5], [32, 2], [38, 1], [48, 2], [57, 5.5], [62.5, 10], [70.5, 19.5], [74.5, 30],
    ],
    draw: (ink) =>
      `<path d="M40 88Q50 100 40 110Q32 118 38 126" fill="none" stroke="#777" stroke-width="2.4"/>` +
      `<path d="M40 80L33 91H47Z" fill="${ink.dark}"/><ellipse cx="40" cy="42" rx="36" ry="41" fill="${ink.fill}"/>` +
      `<ellipse cx="27" cy="25" rx="6" ry="11" fill="#fff" fill-opacity=".55" stroke="none" transform="rotate(24 27 25)"/>`,
  },
  kite: {
    hull: [
      [80, 38], [56, 128], [32, 128], [4, 38], [6.5, 35.5], [42, 0],
    ],
    draw: (ink) =>
      `<path d="M42 84Q58 96 46 106Q36 114 44 126" fill="none" stroke="#666" stroke-width="2.4"/>` +
      `<path d="M42 0L80 38L42 86L4 38Z" fill="${ink.fill}"/><path d="M42 0V86M4 38H80" fill="none"/>` +
      `<path d="M49 100L39 94V106ZM49 100L59 94V106ZM44 122L32 116V128ZM44 122L56 116V128Z" fill="${ink.dark}"/>`,
  },
  rocket: {
    hull: [
      [60, 80], [60, 94], [30, 122], [0, 94], [0, 84.5], [0, 80], [21, 12], [30, 0], [30.5, 0.5], [39, 12],
    ],
    draw: (ink) =>
      `<path d="M18 92L30 122L42 92Z" fill="#f59a23" stroke="#a85a10"/><path d="M24 92L30 110L36 92Z" fill="#ffe36b" ` +
      `stroke="none"/>` +
      `<path d="M12 60L0 80V94L14 86ZM48 60L60 80V94L46 86Z" fill="${ink.dark}"/>` +
      `<path d="M30 0Q52 26 48 92H12Q8 26 30 0Z" fill="${ink.fill}"/><path d="M30 0Q42 12 46 30H14Q18 12 30 0Z" ` +
      `fill="${ink.dark}"/>` +
      `<circle cx="30" cy="48" r="9" fill="${PANE}"/>`,
  },
  chair: {
    hull: [
      [78, 52], [74, 110], [4, 110], [2, 61.5], [2, 2], [2.5, 1.5], [6, 0], [7, 0], [60.5, 6.5], [61.5, 7], [62.5, 7.5],
      [63, 8.5],
    ],
    draw: (ink) =>
      `<path d="M4 64V110H12V64ZM66 64V110H74V64ZM20 64V96H26V64ZM54 64V96H60V64Z" fill="${ink.dark}"/>` +
      `<path d="M2 2Q8 -2 14 2L16 54H2Z" fill="${ink.dark}"/>` +
      `<path d="M14 6H58Q64 6 64 12V54H14Z" fill="${ink.fill}"/>` +
      `<path d="M2 52H78V66H2Z" fill="${ink.base}"/>`,
    seat: { y: 56, left: 30, right: 70 },
  },
  gift: {
    hull: [
      [98, 26], [92, 104], [8, 104], [2, 38], [2, 26], [24, 9.5], [25, 9], [25.5, 9], [75, 9], [76, 9.5],
    ],
    draw: (ink) => {
      const ribbon = ink.colour === 'yellow' || ink.colour === 'orange' || ink.colour === 'white' ? '#c2263b' : '#f8d648';
      return (
        `<path d="M50 26Q24 30 22 14Q24 0 50 26ZM50 26Q76 30 78 14Q76 0 50 26Z" fill="${ribbon}"/>` +
        `<rect x="8" y="44" width="84" height="60" fill="${ink.fill}"/><rect x="2" y="26" width="96" height="20" ` +
        `fill="${ink.fill}"/>` +
        `<rect x="43" y="26" width="14" height="78" fill="${ribbon}"/>`
      );
    },
    seat: { y: 26, left: 20, right: 80 },
  },
} satisfies Record<string, Figure>;
