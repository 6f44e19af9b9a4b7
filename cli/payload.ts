/** Bytes of a message as a value of JSON: text when they are UTF-8, else their base64. */
export function asJsonValue(bytes: Uint8Array): { readonly text: string } | { readonly base64: string } {
  const text = textOf(bytes);
  return text === null ? { base64: Buffer.from(bytes).toString('base64') } : { text };
}

/** Bytes of a message as lines for a terminal. */
export function asLines(bytes: Uint8Array): readonly string[] {
  const text = textOf(bytes);
  if (text === null)
    return [`${bytes.length} bytes that are not text: ${Buffer.from(bytes).toString('base64')}`];
  return text === ''
    ? ['(empty)']
    : harmless(text)
        .trimEnd()
        .split(/\r\n|\r|\n/);
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8: shown as what it is, never guessed at.
    return null;
  }
}

// A terminal obeys what it prints: escape sequences move its cursor, marks of direction reorder a line.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
const OBEYED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The same for a place in a line: a line break or tab is no more obeyed than the rest. */
export function harmlessInLine(text: string): string {
  return harmless(text).replace(
    /[\t\n\r\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Text of a stranger that a terminal can print without obeying it. */
export function harmless(text: string): string {
  return text.replace(OBEYED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
