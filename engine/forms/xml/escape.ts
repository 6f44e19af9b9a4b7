const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // As they are, a reader turns CR into LF everywhere, and LF and TAB into spaces in attributes (XML 1.0 2.11, 3.3.3).
  '\r': '&#xD;',
  '\n': '&#xA;',
  '\t': '&#x9;',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters XML 1.0 cannot say at all
const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Text as it must be written in XML, in an element or in an attribute; null when XML 1.0 cannot say it. */
export function escapeXml(text: string): string | null {
  if (ILLEGAL.test(text) || !text.isWellFormed()) return null;
  return text.replace(/[&<>"'\r\n\t]/g, (character) => ENTITIES[character] ?? character);
}
