/**
 * Whether a regular expression repeats something that repeats itself: `(a+)+`. On a text that almost matches it
 * tries every way to share the text out, which takes twice as long with each further character.
 */
export function repeatsARepeat(pattern: string): boolean {
  // What a group holds so far: whether anything in it repeats without bound.
  const groups: boolean[] = [false];
  let closed: boolean | null = null;
  for (let at = 0; at < pattern.length; at = skip(pattern, at)) {
    const unbounded = quantifierAt(pattern, at);
    if (unbounded !== null) {
      if (unbounded && closed === true) return true;
      if (unbounded) groups[groups.length - 1] = true;
      if (closed === true) groups[groups.length - 1] = true;
      closed = null;
      continue;
    }
    if (closed === true) groups[groups.length - 1] = true;
    closed = null;
    if (pattern[at] === '(') groups.push(false);
    if (pattern[at] === ')' && groups.length > 1) closed = groups.pop() ?? false;
  }
  return false;
}

/** Whether a quantifier stands here, and whether it is without bound. */
function quantifierAt(pattern: string, at: number): boolean | null {
  const letter = pattern[at];
  if (letter === '*' || letter === '+') return true;
  // After `(` it belongs to the group: `(?:`, `(?=`.
  if (letter === '?') return pattern[at - 1] === '(' ? null : false;
  const braces = letter === '{' ? /^\{\d+(,\d*)?\}/.exec(pattern.slice(at)) : null;
  if (braces === null) return null;
  const [, most] = braces;
  // `{2,1000}` is as good as unbounded.
  return most !== undefined && (most === ',' || Number(most.slice(1)) > 100);
}

/** The offset after the character, escape, class or braces at `at`. */
function skip(pattern: string, at: number): number {
  if (pattern[at] === '\\') return at + 2;
  if (pattern[at] === '{') return at + (/^\{\d+(?:,\d*)?\}/.exec(pattern.slice(at))?.[0].length ?? 1);
  if (pattern[at] !== '[') return at + 1;
  let end = at + 1;
  while (end < pattern.length && pattern[end] !== ']') end += pattern[end] === '\\' ? 2 : 1;
  return end + 1;
}
