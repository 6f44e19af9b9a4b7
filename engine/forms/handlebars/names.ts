/** What a template can read, as `Scope` has it; null where the message's own schema decides. */
const SCOPE: Readonly<Record<string, readonly string[] | null>> = {
  message: null,
  booking: ['reference', 'state', 'hospitalRef', 'slotStart', 'slotEnd'],
  edition: ['key'],
  system: ['name', 'timeZone'],
  received: ['at'],
  asked: ['type'],
};

export interface UnknownName {
  readonly message: string;
  readonly instead: string;
}

/** Says what is wrong with the names of a path from the scope on; null when nothing is. */
export function unknownName([first, second, third]: readonly string[]): UnknownName | null {
  if (first === undefined) return null;
  const known = Object.hasOwn(SCOPE, first) ? SCOPE[first] : undefined;
  if (known === undefined) return unknown(first, Object.keys(SCOPE));
  if (known === null || second === undefined) return null;
  if (!known.includes(second)) return unknown(second, known, `${first}.`);
  if (third === undefined) return null;
  return { message: `${first}.${second} is a text and has no "${third}"`, instead: `${first}.${second}` };
}

function unknown(name: string, known: readonly string[], prefix = ''): UnknownName {
  const near = nearest(name, known);
  return {
    message: `there is no ${prefix}${name} to read`,
    instead: near === null ? known.map((one) => prefix + one).join(', ') : prefix + near,
  };
}

/** The known name that was probably meant; null when none is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  const byDistance = known
    .map((one) => ({ one, distance: editDistance(name.toLowerCase(), one.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return byDistance !== undefined && byDistance.distance <= Math.max(1, name.length / 3)
    ? byDistance.one
    : null;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
