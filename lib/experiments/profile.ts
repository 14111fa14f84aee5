export type Profile = 'small' | 'full';

/** What PROFILE asks for: 'small' (default) is the built-in data and weights, 'full' the report's own settings on real data. */
export function profile(wish = process.env.PROFILE): Profile {
  if (!wish) return 'small';
  if (wish === 'small' || wish === 'full') return wish;
  throw new Error(`PROFILE is "${wish}": use small or full.`);
}
