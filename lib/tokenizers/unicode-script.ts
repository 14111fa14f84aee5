/** The script of a letter (Unicode Standard Annex #24). */
const SCRIPTS = ('Common Latin Inherited Greek Cyrillic Han Hiragana Katakana Hangul Arabic Hebrew Devanagari Thai Armenian Syriac Thaana Bengali '
  + 'Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Lao Tibetan Myanmar Georgian Ethiopic Cherokee Canadian_Aboriginal Ogham Runic '
  + 'Tagalog Hanunoo Buhid Tagbanwa Khmer Mongolian Limbu Tai_Le New_Tai_Lue Buginese Tai_Tham Balinese Sundanese Batak Lepcha Ol_Chiki Glagolitic '
  + 'Coptic Tifinagh Bopomofo Yi Lisu Vai Bamum Syloti_Nagri Phags_Pa Saurashtra Kayah_Li Rejang Javanese Cham Tai_Viet Meetei_Mayek Gothic Deseret '
  + 'Osage Adlam Nko Samaritan Mandaic Braille').split(' ');
const patterns = SCRIPTS.map((name) => [name, new RegExp(`^\\p{Script=${name}}$`, 'u')] as const);
const known = new Map<string, string>();

/** The script's name; scripts of no living use are all called 'Other'. */
export function scriptOf(letter: string): string {
  let name = known.get(letter);
  if (name === undefined) known.set(letter, name = patterns.find(([, pattern]) => pattern.test(letter))?.[0] ?? 'Other');
  return name;
}
