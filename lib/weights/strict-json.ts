/** A key that an object in this text has twice, or undefined. `text` is valid JSON; JSON.parse keeps the last value without a word. */
export function repeatedKey(text: string): string | undefined {
  /** Keys so far of every open object; undefined for an open array. */
  const open: (Set<string> | undefined)[] = [];
  let last = '';
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{': open.push(new Set()); break;
      case '[': open.push(undefined); break;
      case '}': case ']': open.pop(); break;
      case '"': {
        const start = at++;
        while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
        last = text.slice(start, at + 1);
        break;
      }
      case ':': {
        const keys = open.at(-1)!, key = JSON.parse(last) as string;
        if (keys.has(key)) return key;
        keys.add(key);
        break;
      }
    }
  }
  return undefined;
}
