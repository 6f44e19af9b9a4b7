import { shareACharacter } from './characters.ts';
import { type Tree, treeOf } from './pattern-tree.ts';

/** As often as this, two ways each time are thousands of ways in all. */
const OFTEN = 10;

/**
 * Whether a regular expression repeats a group that the same text can go through in more than one way: `(a|aa)+`.
 * On a text that almost matches it tries all of them, twice as many with each further character. Whatever cannot
 * be told (looking around or back, inside such a group) counts as one.
 */
export function repeatsAnAmbiguity(pattern: string): boolean {
  return isFound(treeOf(pattern));
}

function isFound(tree: Tree): boolean {
  switch (tree.kind) {
    case 'character':
    case 'unknown':
      return false;
    case 'sequence':
    case 'choice':
      return tree.parts.some(isFound);
    case 'repeat':
      return (isGroup(tree.part) && tree.most > OFTEN && isAmbiguous(tree)) || isFound(tree.part);
  }
}

const isGroup = ({ kind }: Tree): boolean => kind !== 'character' && kind !== 'unknown';

/** One place of a character in the pattern, and every place that may come after it; one that is listed twice is reached in two ways. */
interface Place {
  readonly text: string;
  readonly next: Place[];
}

/** Where a part can begin and end, and whether it can be empty. */
interface Ends {
  readonly first: readonly Place[];
  readonly last: readonly Place[];
  readonly empty: boolean;
}

const NOTHING: Ends = { first: [], last: [], empty: true };

/** Whether after some character it is not clear from the next one alone which way to go on. */
function isAmbiguous(tree: Tree): boolean {
  const places: Place[] = [];
  const ends = endsOf(tree, places);
  if (ends === null) return true;
  return [ends.first, ...places.map(({ next }) => next)].some(overlaps);
}

function overlaps(ways: readonly Place[]): boolean {
  return ways.some((way, i) => ways.slice(i + 1).some((other) => shareACharacter(way.text, other.text)));
}

/** Notes the places of a part and what follows each inside it; null for what cannot be told. */
function endsOf(tree: Tree, places: Place[]): Ends | null {
  switch (tree.kind) {
    case 'unknown':
      return null;
    case 'character': {
      const place = { text: tree.text, next: [] };
      places.push(place);
      return { first: [place], last: [place], empty: false };
    }
    case 'sequence':
      return tree.parts.reduce<Ends | null>((before, part) => after(before, endsOf(part, places)), NOTHING);
    case 'choice': {
      const branches = tree.parts.map((part) => endsOf(part, places));
      return branches.reduce((one, other) => either(one, other));
    }
    case 'repeat':
      return again(tree, places);
  }
}

function after(before: Ends | null, then: Ends | null): Ends | null {
  if (before === null || then === null) return null;
  follow(before.last, then.first);
  return {
    first: before.empty ? [...before.first, ...then.first] : before.first,
    last: then.empty ? [...before.last, ...then.last] : then.last,
    empty: before.empty && then.empty,
  };
}

/** A branch that can be empty makes its group optional in a way of its own: never clear enough. */
function either(one: Ends | null, other: Ends | null): Ends | null {
  if (one === null || other === null || one.empty || other.empty) return null;
  return { first: [...one.first, ...other.first], last: [...one.last, ...other.last], empty: false };
}

function again({ part, least, most }: Extract<Tree, { kind: 'repeat' }>, places: Place[]): Ends | null {
  if (most === 0) return NOTHING;
  const once = endsOf(part, places);
  if (once === null || most === 1)
    return once === null ? null : { ...once, empty: once.empty || least === 0 };
  if (once.empty) return null;
  // Exactly so often: the second time shows whatever the further ones could.
  if (least === most) return after(once, endsOf(part, places));
  follow(once.last, once.first);
  return { ...once, empty: least === 0 };
}

function follow(last: readonly Place[], first: readonly Place[]): void {
  for (const { next } of last) next.push(...first);
}
