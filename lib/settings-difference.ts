/** Which settings differ between what a file holds and what is wanted now, for two sets stored as JSON objects. */
export function settingsDifference(saved: string, wanted: string): string {
  const [a, b] = [saved, wanted].map((text) => JSON.parse(text) as Record<string, unknown>);
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
  return `${keys.map((key) => `${key}: ${JSON.stringify(a[key])} there, ${JSON.stringify(b[key])} now`).join('; ')}.`;
}
