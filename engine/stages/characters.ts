/** The characters that are tried one by one; those beyond have two code units. */
const TRIED = 0x10000;

/** What can stand for a character of two code units: a class of many, or such a character itself. */
const BEYOND = /^\.$|\\[pPDSW]|\[\^|\\u\{|[\u{10000}-\u{10ffff}]|\\ud[89a-f]/iu;

/** Whether two atoms of a pattern (a letter, an escape, a class) can stand for the same character; true when it cannot be told. */
export function shareACharacter(one: string, other: string): boolean {
  if (one === other || (BEYOND.test(one) && BEYOND.test(other))) return true;
  const [a, b] = [alone(one), alone(other)];
  if (a === null || b === null) return true;
  for (let code = 0; code < TRIED; code += 1) {
    const character = String.fromCharCode(code);
    if (a.test(character) && b.test(character)) return true;
  }
  return false;
}

/** The expression of one atom; null when it is none by itself. */
function alone(atom: string): RegExp | null {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(`^(?:${atom})$`, flags);
    } catch {
      // Without the flag it may still be one, such as `\-`.
    }
  }
  return null;
}
