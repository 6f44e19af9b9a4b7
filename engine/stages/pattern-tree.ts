/** A regular expression as a tree; `unknown` is what looks around or back, and anything that is not understood. */
export type Tree =
  | { readonly kind: 'character'; readonly text: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Tree[] }
  | { readonly kind: 'repeat'; readonly part: Tree; readonly least: number; readonly most: number };

interface Reading {
  readonly pattern: string;
  at: number;
}

const UNKNOWN: Tree = { kind: 'unknown' };

/** The tree of a pattern that compiles. */
export function treeOf(pattern: string): Tree {
  const reading = { pattern, at: 0 };
  const tree = choice(reading);
  // A closing bracket without an opening one: not what was taken to be read.
  return reading.at < pattern.length ? UNKNOWN : tree;
}

function choice(reading: Reading): Tree {
  const parts = [sequence(reading)];
  while (reading.pattern[reading.at] === '|') {
    reading.at += 1;
    parts.push(sequence(reading));
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'choice', parts };
}

function sequence(reading: Reading): Tree {
  const parts: Tree[] = [];
  while (reading.at < reading.pattern.length && !'|)'.includes(reading.pattern[reading.at] ?? '')) {
    parts.push(repeated(reading, atom(reading)));
  }
  return { kind: 'sequence', parts };
}

function repeated(reading: Reading, part: Tree): Tree {
  const [all, sign, least, comma, most] =
    /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/.exec(reading.pattern.slice(reading.at)) ?? [];
  if (all === undefined) return part;
  reading.at += all.length;
  if (sign !== undefined) {
    const bounds = { least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Number.POSITIVE_INFINITY };
    return { kind: 'repeat', part, ...bounds };
  }
  const upTo = comma === undefined ? least : most;
  const bound = upTo === '' ? Number.POSITIVE_INFINITY : Number(upTo);
  return { kind: 'repeat', part, least: Number(least), most: bound };
}

const ATOM =
  /^(?:\\k<[^>]*>|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[\da-f]{4}|\\x[\da-f]{2}|\\c[a-z]|\\.|\[(?:\\.|[^\]\\])*\]|.)/isu;

function atom(reading: Reading): Tree {
  const rest = reading.pattern.slice(reading.at);
  const open = /^\((?:\?:|\?<(?![=!])[^>]*>|(\?(?:<?[=!]|[^<:])))?/.exec(rest);
  if (open !== null) {
    reading.at += open[0].length;
    const inner = choice(reading);
    reading.at += 1;
    return open[1] === undefined ? inner : UNKNOWN;
  }
  const text = ATOM.exec(rest)?.[0] ?? rest;
  reading.at += text.length;
  return /^(?:[\^$]|\\[bBk1-9].*)$/s.test(text) ? UNKNOWN : { kind: 'character', text };
}
