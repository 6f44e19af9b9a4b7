/**
 * Whether a regular expression repeats something that repeats itself: `(a+)+`. On a text that almost matches it
 * tries every way to share the text out, which takes twice as long with each further character.
 */
export function repeatsARepeat(pattern: string): boolean {
  // Whether each open group, from the outside in, holds anything that repeats without bound.
  const groups: boolean[] = [false];
  // The same of the group that ended right here.
  let ended = false;
  for (let at = 0; at < pattern.length; at = skip(pattern, at)) {
    const unbounded = isUnbounded(pattern, at);
    if (unbounded && ended) return true;
    if (unbounded || ended) groups[groups.length - 1] = true;
    ended = false;
    if (pattern[at] === '(') groups.push(false);
    if (pattern[at] === ')') ended = groups.pop() ?? false;
  }
  return false;
}

/** Whether a quantifier without bound stands here. */
function isUnbounded(pattern: string, at: number): boolean {
  const letter = pattern[at];
  if (letter === '*' || letter === '+') return true;
  const most = letter === '{' ? /^\{\d+,(\d*)\}/.exec(pattern.slice(at))?.[1] : undefined;
  // `{2,1000}` is as good as unbounded.
  return most !== undefined && (most === '' || Number(most) > 100);
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
