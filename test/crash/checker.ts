import type { JournalLine } from '../../sandbox/hospitals/journal.ts';
import type { DawyEvent, Evidence, Findings, Named, Published, Summary, Violation } from './evidence.ts';

export type { DawyEvent, Evidence, Findings, Named, Published, Summary, Violation };

const WISHES = {
  'booking.requested': { effect: 'booked', event: 'booking.confirmed', operation: 'book' },
  'booking.reschedule-requested': { effect: 'moved', event: 'booking.rescheduled', operation: 'move' },
  'booking.cancel-requested': { effect: 'cancelled', event: 'booking.cancelled', operation: 'cancel' },
} as const;
const DECLINED_EVENT = 'booking.rejected';
type WishType = keyof typeof WISHES;

/**
 * Sets what was asked for against what hospitals did and what Dawy heard. Reads only what is seen from outside.
 * Every request must have exactly one effect at its hospital, or a no, or stand before a person; the effects of
 * one booking come in the order of publishing; nothing happens unasked; and Dawy hears of every effect.
 */
export function check(evidence: Evidence): Findings {
  const found: Found = { lost: [], duplicateEffects: [], orderBreaks: [], unknown: [], falselyTold: [] };
  const counts = { effects: 0, declined: 0 };
  const asked = standing(evidence);
  const seen = linesSeen(evidence.journals);
  const lines = grouped(seen, ({ hospital, reference }) => `${hospital}\n${reference}`);
  const linesOf = grouped(seen, ({ reference }) => reference ?? '');
  const events = eventsBySubject(evidence.events);
  const held = new Budget(evidence.held);
  const settled = new Budget(evidence.settled ?? []);
  for (const name of new Set([...asked.keys(), ...lines.keys()])) {
    const booking = new BookingCheck(name, asked.get(name) ?? [], lines.get(name) ?? [], found);
    booking.matchEffects();
    booking.checkOrder();
    booking.checkLost(held);
    booking.checkEvents(events.get(booking.reference) ?? [], held, settled);
    counts.effects += booking.effects;
    counts.declined += booking.declined;
  }
  for (const [subject, distinct] of events)
    checkSubject(subject, distinct, linesOf.get(subject) ?? [], found);
  return { ...found, summary: summaryOf(evidence, found, counts) };
}

type Found = { -readonly [Kind in Exclude<keyof Findings, 'summary'>]: Violation[] };

/** Says in one line how it stands, for a person. */
export function sentence({
  lost,
  duplicateEffects,
  orderBreaks,
  unknown,
  falselyTold,
  summary,
}: Findings): string {
  const { published, effects, declined, held, refused } = summary;
  return [
    `${published} published: ${effects} effects, ${declined} declined, ${held} held, ${refused} refused;`,
    `lost ${lost.length}, duplicate effects ${duplicateEffects.length}, order breaks ${orderBreaks.length},`,
    `unknown ${unknown.length}, falsely told ${falselyTold.length}`,
  ].join(' ');
}

class BookingCheck {
  readonly hospital: string;
  readonly reference: string;
  readonly #asked: readonly Published[];
  readonly #lines: readonly JournalLine[];
  readonly #found: Found;
  readonly #matched = new Map<Published, JournalLine>();
  #toldNo = 0;

  constructor(name: string, asked: readonly Published[], lines: readonly JournalLine[], found: Found) {
    const [hospital = '', reference = ''] = name.split('\n');
    this.hospital = hospital;
    this.reference = reference;
    this.#asked = asked;
    this.#lines = lines;
    this.#found = found;
  }

  get effects(): number {
    return this.#lines.filter(({ effect }) => effect !== 'none').length;
  }

  get declined(): number {
    return this.#toldNo;
  }

  /** Gives each request the first effect that is what it asked for. What is left over was done twice, or unasked. */
  matchEffects(): void {
    for (const line of this.#lines) {
      if (line.effect === 'none') continue;
      const candidates = this.#asked.filter((request) => asksFor(request, line));
      const request = candidates.find((candidate) => !this.#matched.has(candidate));
      if (request !== undefined) this.#matched.set(request, line);
      else if (candidates.length === 0)
        this.#report('unknown', line.effect, 'nobody asked for it', [line.seq]);
      else {
        const first = candidates.flatMap((candidate) => this.#matched.get(candidate)?.seq ?? []);
        this.#report('duplicateEffects', line.effect, 'it was done before', [...first, line.seq]);
      }
    }
  }

  checkOrder(): void {
    let last: JournalLine | undefined;
    for (const request of this.#asked) {
      const line = this.#matched.get(request);
      if (line === undefined) continue;
      if (last !== undefined && line.seq < last.seq)
        this.#report('orderBreaks', request.type, 'it was done before what was asked earlier', [
          line.seq,
          last.seq,
        ]);
      if (last === undefined || line.seq > last.seq) last = line;
    }
  }

  checkLost(held: Budget): void {
    for (const type of Object.keys(WISHES) as WishType[]) {
      const noes = this.#declines(type);
      for (const request of this.#asked) {
        if (request.type !== type || this.#matched.has(request)) continue;
        if (noes.pop() !== undefined) this.#toldNo += 1;
        else if (!held.take(request))
          this.#report('lost', type, `message ${request.messageId} came to nothing`, []);
      }
    }
  }

  /** One event for each effect and each no, unless a person has it or settled it. */
  checkEvents(events: readonly DawyEvent[], held: Budget, settled: Budget): void {
    for (const type of Object.keys(WISHES) as WishType[]) {
      const done = this.#asked.filter((request) => request.type === type && this.#matched.has(request));
      const told = events.filter((event) => event.type === WISHES[type].event).length;
      for (const request of done.slice(told)) {
        const seqs = [this.#matched.get(request)?.seq ?? 0];
        if (!held.take(request) && !settled.take(request))
          this.#report('lost', type, `Dawy never heard ${WISHES[type].event}`, seqs);
      }
    }
    const noes = events.filter(({ type }) => type === DECLINED_EVENT).length;
    if (noes < this.#toldNo)
      this.#report('lost', DECLINED_EVENT, `Dawy heard ${noes} of ${this.#toldNo} times no`, []);
  }

  /** Noes that were sent as they were meant. A recognized repeat says the same no again. */
  #declines(type: WishType): JournalLine[] {
    const said = this.#lines.filter(
      ({ operation, effect, answer }) =>
        operation === WISHES[type].operation && effect === 'none' && /^(409|fault) SLOT_TAKEN$/.test(answer),
    );
    return [...new Map(said.map((line) => [line.key ?? String(line.seq), line])).values()];
  }

  #report(kind: keyof Found, type: string, why: string, seqs: readonly number[]): void {
    this.#found[kind].push({ hospital: this.hospital, reference: this.reference, type, why, seqs });
  }
}

/** So many excuses for each request name; each is used once. */
class Budget {
  readonly #left = new Map<string, number>();

  constructor(named: readonly Named[]) {
    for (const { reference, type } of named) {
      const name = `${type}\n${reference}`;
      this.#left.set(name, (this.#left.get(name) ?? 0) + 1);
    }
  }

  take({ reference, type }: Named): boolean {
    const name = `${type}\n${reference}`;
    const left = this.#left.get(name) ?? 0;
    if (left > 0) this.#left.set(name, left - 1);
    return left > 0;
  }
}

/** What was asked for and not refused, by booking, in the order of publishing; a repeat of a message id once. */
function standing({ published, refused }: Evidence): Map<string, Published[]> {
  const refusedIds = new Set(refused.map(({ messageId }) => messageId));
  const once = new Map(published.toSorted((a, b) => b.order - a.order).map((one) => [one.messageId, one]));
  const asked = [...once.values()].filter(
    ({ messageId, type }) => !refusedIds.has(messageId) && Object.hasOwn(WISHES, type),
  );
  return grouped(
    asked.toSorted((a, b) => a.order - b.order),
    ({ hospital, reference }) => `${hospital}\n${reference}`,
  );
}

type SeenLine = JournalLine & { readonly hospital: string };

/** What can be said of a booking: requests nobody could read, and that did nothing, belong to none. */
function linesSeen(journals: Evidence['journals']): readonly SeenLine[] {
  const all = Object.entries(journals).flatMap(([hospital, lines]) =>
    lines.map((line) => ({ ...line, hospital })),
  );
  return all
    .filter(({ reference, effect }) => reference !== null || effect !== 'none')
    .toSorted((one, other) => one.seq - other.seq);
}

function eventsBySubject(events: readonly DawyEvent[]): Map<string, DawyEvent[]> {
  const distinct = new Map(events.map((event) => [event.id, event]));
  return grouped([...distinct.values()], ({ subject }) => subject);
}

function asksFor({ type, start }: Published, line: JournalLine): boolean {
  const wish = WISHES[type as WishType];
  if (wish.effect !== line.effect) return false;
  if (wish.effect === 'cancelled' || start === undefined || line.start === null) return true;
  return Date.parse(start) === Date.parse(line.start);
}

/** What Dawy was told of a booking may not be more than what hospitals did or said. */
function checkSubject(
  reference: string,
  events: readonly DawyEvent[],
  own: readonly SeenLine[],
  found: Found,
): void {
  const hospital = own[0]?.hospital ?? '-';
  const report = (type: string, told: number, were: number) => {
    if (told <= were) return;
    const why = `Dawy heard it ${told} times, hospitals did it ${were} times`;
    found.falselyTold.push({ hospital, reference, type, why, seqs: own.map(({ seq }) => seq) });
  };
  for (const { event, effect } of Object.values(WISHES)) {
    const were = own.filter((line) => line.effect === effect).length;
    report(event, events.filter(({ type }) => type === event).length, were);
  }
  const noes = own.filter(({ answer, effect }) => effect === 'none' && answer.endsWith('SLOT_TAKEN')).length;
  report(DECLINED_EVENT, events.filter(({ type }) => type === DECLINED_EVENT).length, noes);
}

function summaryOf(
  { published, journals, events, held, refused }: Evidence,
  found: Found,
  counts: Pick<Summary, 'effects' | 'declined'>,
): Summary {
  const lines = Object.values(journals).flat();
  return {
    ...counts,
    ok: Object.values(found).every((violations) => violations.length === 0),
    published: new Set(published.map(({ messageId }) => messageId)).size,
    held: held.length,
    refused: new Set(refused.map(({ messageId }) => messageId)).size,
    recognizedRepeats: lines.filter(({ effect, repeatOf }) => effect === 'none' && repeatOf !== undefined)
      .length,
    repeatedEvents: events.length - new Set(events.map(({ id }) => id)).size,
  };
}

function grouped<Item>(items: readonly Item[], nameOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(nameOf(item));
    if (group === undefined) groups.set(nameOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
