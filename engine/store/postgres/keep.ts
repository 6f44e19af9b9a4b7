import type { Booking } from '../../booking.ts';
import { BridgeError } from '../../errors.ts';
import { failpoint } from '../../failpoint.ts';
import { sortedLocks } from '../../lane.ts';
import type { ChannelName, DeliveryId, MessageId } from '../../message.ts';
import type { Keeping, Kept } from '../../store.ts';
import {
  type Decide,
  type DedupeWrite,
  dedupeKeys,
  foldKeeps,
  type KeepPlan,
  type KnownId,
  textOf,
} from '../folding.ts';
import { barely, refusedOnly } from '../last-resort.ts';
import { byteas, texts, uuids } from './arrays.ts';
import { runBatch, type Surroundings, transact, type Writing } from './batch.ts';
import type { Connection, Rows } from './connection.ts';
import { sqlState, stateDetails } from './failure.ts';
import { type BookingRow, bookingOf, openError, sealError } from './rows.ts';
import {
  type Call,
  CLOSE_REFUSALS,
  call,
  FIND_MESSAGES,
  FIND_RUNNING,
  READ_BOOKINGS,
  READ_DEDUPE,
  WRITE_AUDIT,
  WRITE_DEDUPE,
  WRITE_DELIVERIES,
} from './statements.ts';
import { type Encoding, writeDeliveries, writeMessages, writeSteps } from './writes.ts';

/** How long a repeat is recognized. */
const DEDUPE_DAYS = 30;

/** What a keeping or settling transaction needs beside its batch. */
export interface Hands {
  readonly connection: Connection;
  readonly around: Surroundings;
  readonly encoding: Encoding;
  /** The instance this store acts for; null while it acts for none. */
  readonly me: () => string | null;
  /** Called after a commit with the channels that have work nobody holds yet. */
  readonly queued: (channels: ReadonlySet<ChannelName>) => void;
}

/** Keeps a batch of arrivals, in one transaction when all goes well. */
export function keepBatch(
  batch: readonly Keeping[],
  decide: Decide<Keeping>,
  hands: Hands,
): Promise<readonly Kept[]> {
  if (batch.length === 0) return Promise.resolve([]);
  return runBatch('keep', batch, hands.around, {
    run: (rows) => keepOnce(rows, decide, hands),
    alone: async (keeping, thrown) => {
      hands.around.telemetry.emit({ kind: 'defect', where: 'keep', detail: shortly(thrown) });
      const [kept] = await keepOnce([barely(keeping, thrown, stateDetails(thrown))], refusedOnly, hands);
      if (kept === undefined) throw thrown;
      return kept;
    },
    ids: (rows) => rows.map(({ message }) => message.id),
  });
}

interface Decided {
  readonly plan: KeepPlan;
  readonly me: string | null;
}

function keepOnce(
  batch: readonly Keeping[],
  decide: Decide<Keeping>,
  hands: Hands,
): Promise<readonly Kept[]> {
  const { encoding, me, queued } = hands;
  const keys = dedupeKeys(batch);
  const digests = new Map(batch.map(({ message, bodyDigest }) => [message.id, bodyDigest]));
  const result = (decided: Decided, rows: Rows): readonly Kept[] => {
    queued(channelsIn(rows, 'queued'));
    const running = new Set(
      rows.filter(({ state }) => state === 'running').map(({ id }) => id as DeliveryId),
    );
    return decided.plan.verdicts.map((verdict) => keptOf(verdict, running));
  };
  return transact<Decided, readonly Kept[]>(hands.connection, hands.around, {
    what: 'keep',
    // One dedupe key stands for the batch itself, so that there is a lock even where no lane is.
    locks: sortedLocks([
      ...batch.flatMap(({ lanes }) => lanes),
      ...batch.slice(0, 1).map(({ dedupe }) => dedupe),
    ]),
    read: [
      call(READ_DEDUPE, texts(keys.map(({ channel }) => channel)), byteas(keys.map(({ key }) => key))),
      call(READ_BOOKINGS, texts(named(batch.map(({ booking }) => booking)))),
    ],
    decide: ([ids = [], bookingRows = []]): Writing<Decided> => {
      const { known, expired } = knownIds(ids, encoding);
      const bookings = bookingsOf(bookingRows, encoding);
      const plan = foldKeeps(batch, known, bookings, decide);
      const owner = me();
      return {
        decided: { plan, me: owner },
        calls: [
          ...writeDedupe(plan.dedupe, expired, encoding),
          ...writeSteps(plan.steps, bookings, encoding.seal),
          ...writeMessages(plan.messages, digests, encoding),
          ...closeSuperseded(plan, encoding),
          ...writeDeliveries(plan.messages, owner),
        ],
      };
    },
    committed: (decided, replies) => result(decided, replies.get(WRITE_DELIVERIES.name) ?? []),
    moments: ({ plan }) => {
      failpoint('M2');
      if (plan.messages.some(({ refused }) => refused !== null)) failpoint('M13');
    },
    mark: ({ plan }) => call(FIND_MESSAGES, uuids(plan.messages.map(({ message }) => message.id))),
    found: async (decided, session) => {
      const ids = decided.plan.messages.flatMap(({ deliveries }) => deliveries.map(({ id }) => id));
      const [rows = []] = await session.send([call(FIND_RUNNING, decided.me, uuids(ids))]);
      return result(decided, rows);
    },
  });
}

export function channelsIn(rows: Rows, state: string): ReadonlySet<ChannelName> {
  return new Set(rows.filter((row) => row['state'] === state).map((row) => row['channel'] as ChannelName));
}

function keptOf(verdict: KeepPlan['verdicts'][number], running: ReadonlySet<DeliveryId>): Kept {
  if (verdict.kind !== 'new') return verdict;
  const { id, error, consequences } = verdict;
  const ids = consequences.messages.flatMap(({ deliveries }) => deliveries.map((delivery) => delivery.id));
  const mine = new Set(ids.filter((delivery) => running.has(delivery)));
  return error === null
    ? { kind: 'accepted', id, consequences, running: mine }
    : { kind: 'refused', id, error, consequences, running: mine };
}

/** What was thrown, without any value: a text of the server may quote a row. */
export function shortly(thrown: unknown): string {
  if (thrown instanceof BridgeError) return `${thrown.code}: ${thrown.message}`;
  return sqlState(thrown) ?? (thrown instanceof Error ? thrown.name : 'unknown');
}

/** Each reference once. */
export function named(references: readonly (string | null)[]): string[] {
  return [...new Set(references.filter((reference) => reference !== null))];
}

export function bookingsOf(rows: Rows, { seal }: Encoding): ReadonlyMap<string, Booking> {
  return new Map(
    rows.map((row) => {
      const booking = bookingOf(seal, row as unknown as BookingRow);
      return [booking.reference, booking];
    }),
  );
}

interface DedupeRow {
  readonly channel: ChannelName;
  readonly key: Buffer;
  readonly message_id: MessageId;
  readonly digest: Buffer;
  readonly refused: string | null;
  readonly refusal: Buffer | null;
  readonly expired: boolean;
}

/** What the ids of the batch mean now. An expired row means nothing, but is still in the place of the new one. */
function knownIds(rows: Rows, { seal }: Encoding) {
  const known = new Map<string, KnownId>();
  const expired = new Map<string, MessageId>();
  for (const row of rows as unknown as readonly DedupeRow[]) {
    const text = textOf(row);
    if (row.expired) {
      expired.set(text, row.message_id);
      continue;
    }
    const refused = row.refused === null ? null : openError(seal, row.message_id, row.refused, row.refusal);
    known.set(text, { message: row.message_id, digest: row.digest, refused });
  }
  return { known, expired };
}

function writeDedupe(
  writes: readonly DedupeWrite[],
  expired: ReadonlyMap<string, MessageId>,
  { seal }: Encoding,
): readonly Call[] {
  if (writes.length === 0) return [];
  const sorted = [...writes].sort((a, b) =>
    a.channel < b.channel ? -1 : a.channel > b.channel ? 1 : a.key.compare(b.key),
  );
  return [
    call(
      WRITE_DEDUPE,
      texts(sorted.map(({ channel }) => channel)),
      byteas(sorted.map(({ key }) => key)),
      uuids(sorted.map(({ known }) => known.message)),
      uuids(sorted.map((write) => write.was ?? expired.get(textOf(write)) ?? null)),
      byteas(sorted.map(({ known }) => known.digest)),
      texts(sorted.map(({ known }) => known.refused?.code ?? null)),
      byteas(
        sorted.map(({ known }) =>
          known.refused === null ? null : sealError(seal, known.message, known.refused),
        ),
      ),
      DEDUPE_DAYS,
    ),
  ];
}

function closeSuperseded({ superseded }: KeepPlan, { seal }: Encoding): readonly Call[] {
  if (superseded.length === 0) return [];
  return [
    call(CLOSE_REFUSALS, uuids(superseded.map(({ message }) => message))),
    call(
      WRITE_AUDIT,
      texts(superseded.map(() => 'hisbridge')),
      texts(superseded.map(() => 'superseded')),
      uuids(superseded.map(({ message }) => message)),
      texts(superseded.map(({ by }) => by.message.hospital)),
      byteas(
        superseded.map(({ message, by }) =>
          seal.seal(message, Buffer.from(`message ${by.message.id} came under the same id`)),
        ),
      ),
    ),
  ];
}
