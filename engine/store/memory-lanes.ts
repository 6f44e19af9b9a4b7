import { BridgeError } from '../errors.ts';
import type { Lane } from '../lane.ts';
import { type ChannelName, type DeliveryId, newId } from '../message.ts';
import type { Edition, NewDelivery, NewMessage, Pulse, Settlement, StoredEdition, Work } from '../store.ts';
import type { MemoryDelivery, MemoryTables } from './memory-tables.ts';

const sameLane = (a: Lane | null, b: Lane | null): boolean => a !== null && b !== null && a.equals(b);
/** What changes when someone takes a delivery up. */
export const running = (row: MemoryDelivery, owner: string): Partial<MemoryDelivery> => ({
  state: 'running',
  owner,
  tries: row.tries + 1,
});

/** What new deliveries are to whoever adds them: its own, or waiting for a claim. */
export interface Added {
  readonly mine: ReadonlySet<DeliveryId>;
  readonly queued: ReadonlySet<ChannelName>;
}

/** Adds deliveries in their order: the first of a free lane is its head, the others wait. */
export function add(tables: MemoryTables, messages: readonly NewMessage[], me: string | null): Added {
  const rows = messages.flatMap((message) =>
    message.deliveries.map((one) => addOne(tables, message, one, me)),
  );
  return {
    mine: new Set(rows.filter(({ state }) => state === 'running').map(({ id }) => id)),
    queued: new Set(rows.filter(({ state }) => state === 'queued').map(({ channel }) => channel)),
  };
}

function addOne(
  tables: MemoryTables,
  { message, booking }: NewMessage,
  { hot, id, route, channel, lane, edition, giveUpAt }: NewDelivery,
  me: string | null,
): MemoryDelivery {
  const behind = tables
    .inOrder()
    .some((row) => row.head && row.channel === channel && sameLane(row.lane, lane));
  const owner = hot && !behind ? me : null;
  const now = tables.clock.now();
  const row: MemoryDelivery = {
    id,
    message: message.id,
    route,
    channel,
    hospital: message.hospital,
    lane,
    edition,
    tries: owner === null ? 0 : 1,
    attempts: 0,
    ambiguous: false,
    keptAt: now,
    giveUpAt,
    seq: tables.nextSeq(),
    state: behind ? 'waiting' : owner === null ? 'queued' : 'running',
    head: lane !== null && !behind,
    owner,
    dueAt: now,
    bookingRef: booking,
    lastSentAt: null,
    error: null,
  };
  tables.open.set(id, row);
  return row;
}

/** Records an attempt and where its delivery stands now. */
export function end(tables: MemoryTables, { delivery, next, attempt }: Settlement, head: boolean): void {
  const { open, ended, attempts } = tables;
  attempts.push({ ...attempt, delivery: delivery.id });
  const sentAt = attempt.kind === 'send' ? { lastSentAt: attempt.startedAt } : {};
  switch (next.kind) {
    case 'ended': {
      const row = tables.change(delivery.id, { owner: null });
      open.delete(delivery.id);
      ended.set(delivery.id, { ...row, endedAs: next.as });
      return;
    }
    case 'again': {
      const { dueAt, attempts: counted, ambiguous, error } = next;
      const to = {
        state: 'queued' as const,
        owner: null,
        dueAt,
        attempts: counted,
        ambiguous,
        error,
        head,
      };
      tables.change(delivery.id, { ...to, ...(ambiguous ? sentAt : {}) });
      return;
    }
    case 'stopped': {
      const ambiguous = delivery.ambiguous || next.state === 'held';
      const to = { state: next.state, owner: null, ambiguous, error: next.error, head };
      tables.change(delivery.id, { ...to, ...(ambiguous ? sentAt : {}) });
      return;
    }
  }
}

/** The next of the lane of a delivery that is its head no more: taken up, or queued; null when none waits. */
export function promote(
  tables: MemoryTables,
  { delivery: { channel, lane }, promoteHot }: Settlement,
  me: string | null,
): MemoryDelivery | null {
  const next = tables
    .inOrder()
    .find((row) => row.state === 'waiting' && row.channel === channel && sameLane(row.lane, lane));
  if (next === undefined) return null;
  const taken = promoteHot && me !== null ? running(next, me) : { state: 'queued' as const };
  return tables.change(next.id, { ...taken, head: true, dueAt: tables.clock.now() });
}

/** A delivery with all it takes to send it. */
export function workOf(tables: MemoryTables, row: MemoryDelivery): Work {
  const { messages, bookings, editions } = tables;
  const kept = messages.get(row.message);
  if (kept === undefined) throw new BridgeError('store-mismatch', `no message ${row.message}`);
  const {
    id,
    message,
    route,
    channel,
    hospital,
    lane,
    edition,
    tries,
    attempts,
    ambiguous,
    keptAt,
    giveUpAt,
  } = row;
  const stored = editions.get(edition);
  return {
    delivery: {
      id,
      message,
      route,
      channel,
      hospital,
      lane,
      edition,
      tries,
      attempts,
      ambiguous,
      keptAt,
      giveUpAt,
    },
    message: kept.message,
    bookingRef: row.bookingRef,
    booking: row.bookingRef === null ? null : (bookings.get(row.bookingRef) ?? null),
    edition: stored === undefined ? null : storedEdition(stored),
    lastSentAt: row.lastSentAt,
  };
}

/** Back to the queue: certain where no edition is there, uncertain where one may have been sent. */
export function giveBack(tables: MemoryTables, rows: readonly MemoryDelivery[]): Pulse['recovered'] {
  const { editions, attempts, clock, random } = tables;
  const now = clock.now();
  let ambiguous = 0;
  for (const row of rows) {
    const base = { state: 'queued' as const, owner: null, dueAt: now };
    const edition = editions.get(row.edition);
    if (edition === undefined) {
      tables.change(row.id, { ...base, tries: Math.max(row.tries - 1, 0) });
      continue;
    }
    ambiguous += 1;
    const error = new BridgeError('instance-lost', 'the engine that was sending it was lost');
    tables.change(row.id, { ...base, ambiguous: true, lastSentAt: now, error });
    attempts.push({
      id: newId<string>(clock, random),
      delivery: row.id,
      kind: 'send',
      no: row.tries,
      startedAt: now,
      endedAt: now,
      outcome: error.code,
      summary: error.message,
      response: null,
      plan: edition.plan,
    });
  }
  return { queued: rows.length, ambiguous };
}

function storedEdition({ key, body, envelope }: Edition): StoredEdition {
  return { key, body, envelope };
}
