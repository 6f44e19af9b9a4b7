import type { DeliveryState } from '../../delivery.ts';
import type { BridgeError } from '../../errors.ts';
import { failpoint } from '../../failpoint.ts';
import { type Lane, sortedLocks } from '../../lane.ts';
import type { ChannelName, DeliveryId, MessageId } from '../../message.ts';
import type { Settled, Settlement, Work } from '../../store.ts';
import { type Decide, foldSettles, type OpenRow, type SettleOutcome, type SettlePlan } from '../folding.ts';
import { unsaid } from '../last-resort.ts';
import { booleans, byteas, instants, int4s, texts, uuids } from './arrays.ts';
import { runBatch, transact, type Writing } from './batch.ts';
import type { Rows, Session } from './connection.ts';
import { stateDetails } from './failure.ts';
import { bookingsOf, channelsIn, type Hands, named, shortly } from './keep.ts';
import { sealError, type WorkRow, workOf } from './rows.ts';
import {
  type Call,
  CHANGE_DELIVERIES,
  call,
  END_DELIVERIES,
  FIND_ATTEMPTS,
  FIND_PROMOTED,
  FIND_RUNNING,
  PROMOTE,
  READ_BOOKINGS,
  READ_DELIVERIES,
  WRITE_ATTEMPTS,
  WRITE_AUDIT,
  WRITE_DELIVERIES,
} from './statements.ts';
import { type Encoding, writeDeliveries, writeMessages, writeSteps } from './writes.ts';

/** Settling also makes messages of its own when an answer cannot be kept as what it is. */
export interface SettleHands extends Hands {
  readonly newMessageId: () => MessageId;
}

/** Settles a batch of attempts, in one transaction when all goes well. */
export function settleBatch(
  batch: readonly Settlement[],
  decide: Decide<Settlement>,
  hands: SettleHands,
): Promise<readonly Settled[]> {
  if (batch.length === 0) return Promise.resolve([]);
  return runBatch('settle', batch, hands.around, {
    run: (rows) => settleOnce(rows, decide, hands),
    alone: async (settlement, thrown) => {
      hands.around.telemetry.emit({ kind: 'defect', where: 'settle', detail: shortly(thrown) });
      const made = {
        id: hands.newMessageId(),
        at: hands.around.clock.now(),
        details: stateDetails(thrown),
      };
      const [settled] = await settleOnce([plain(settlement)], () => unsaid(settlement, thrown, made), hands);
      if (settled === undefined) throw thrown;
      return settled;
    },
    ids: (rows) => rows.flatMap(({ delivery, attempt }) => [delivery.id, delivery.edition, attempt.id]),
  });
}

interface Decided {
  readonly plan: SettlePlan;
  readonly outcomes: readonly SettleOutcome[];
  readonly closed: readonly { readonly channel: ChannelName; readonly lane: Lane; readonly hot: boolean }[];
  readonly me: string | null;
}

function settleOnce(
  batch: readonly Settlement[],
  decide: Decide<Settlement>,
  hands: SettleHands,
): Promise<readonly Settled[]> {
  const { encoding, me, queued } = hands;
  const result = (decided: Decided, promoted: Rows, added: Rows): readonly Settled[] => {
    queued(new Set([...channelsIn(promoted, 'queued'), ...channelsIn(added, 'queued')]));
    return settledOf(decided, promoted, added, encoding);
  };
  return transact<Decided, readonly Settled[]>(hands.connection, hands.around, {
    what: 'settle',
    locks: locksOf(batch),
    read: [
      call(READ_BOOKINGS, texts(named(batch.map(({ booking }) => booking)))),
      call(READ_DELIVERIES, uuids(batch.map(({ delivery }) => delivery.id))),
    ],
    decide: ([bookingRows = [], deliveryRows = []]): Writing<Decided> => {
      const owner = me();
      const bookings = bookingsOf(bookingRows, encoding);
      const plan = foldSettles(batch, openRows(deliveryRows), owner, bookings, decide);
      const outcomes = plan.outcomes.filter((outcome) => outcome !== null);
      const decided = { plan, outcomes, closed: closedLanes(outcomes), me: owner };
      return {
        decided,
        calls: [
          ...writeEnded(outcomes),
          ...writeChanged(outcomes, encoding),
          ...writeAttempts(outcomes, owner, encoding),
          ...writeAudit(outcomes, encoding),
          // Before the promotion: the next of a lane is handed over with the booking as this leaves it.
          ...writeSteps(plan.steps, bookings, encoding.seal),
          // Before new deliveries: one into a lane that closes here would overtake who waits there.
          ...promote(decided),
          ...writeMessages(plan.messages, new Map(), encoding),
          ...writeDeliveries(plan.messages, owner),
        ],
      };
    },
    committed: (decided, replies) =>
      result(decided, replies.get(PROMOTE.name) ?? [], replies.get(WRITE_DELIVERIES.name) ?? []),
    moments: ({ outcomes }) => {
      failpoint('M6');
      if (outcomes.some(({ settlement }) => settlement.next.kind === 'stopped')) failpoint('M13');
    },
    mark: ({ outcomes }) =>
      call(FIND_ATTEMPTS, uuids(outcomes.map(({ settlement }) => settlement.attempt.id))),
    found: async (decided, session) => {
      const [promoted, added] = await findRunning(decided, session);
      return result(decided, promoted, added);
    },
  });
}

/** One attempt stands for the batch itself, so that there is a lock even where no lane is. */
function locksOf(batch: readonly Settlement[]): bigint[] {
  const own = batch.flatMap(({ delivery: { lane }, lanes }) => (lane === null ? lanes : [lane, ...lanes]));
  const itself = batch
    .slice(0, 1)
    .map(({ attempt }) => Buffer.from(attempt.id.slice(-17).replace('-', ''), 'hex'));
  return sortedLocks([...own, ...itself]);
}

function openRows(rows: Rows): ReadonlyMap<DeliveryId, OpenRow> {
  return new Map(rows.map((row) => [row['id'] as DeliveryId, row as unknown as OpenRow]));
}

function closedLanes(outcomes: readonly SettleOutcome[]): Decided['closed'] {
  return outcomes.flatMap(({ closes, settlement: { delivery, promoteHot } }) =>
    closes && delivery.lane !== null
      ? [{ channel: delivery.channel, lane: delivery.lane, hot: promoteHot }]
      : [],
  );
}

function writeEnded(outcomes: readonly SettleOutcome[]): readonly Call[] {
  const ended = outcomes.flatMap(({ settlement: { delivery, next } }) =>
    next.kind === 'ended' ? [{ id: delivery.id, as: next.as }] : [],
  );
  if (ended.length === 0) return [];
  return [call(END_DELIVERIES, uuids(ended.map(({ id }) => id)), texts(ended.map(({ as }) => as)))];
}

interface Change {
  readonly id: DeliveryId;
  readonly head: boolean;
  readonly state: DeliveryState;
  readonly dueAt: Date | null;
  readonly attempts: number;
  readonly ambiguous: boolean;
  readonly error: BridgeError | null;
  readonly lastSentAt: Date | null;
}

/** What a delivery that stays open is like from now on; none when it ended. */
function changeOf({ settlement, head }: SettleOutcome): readonly Change[] {
  const { delivery, next, attempt } = settlement;
  const { id } = delivery;
  // Only a send that may have been taken is asked about later; a probe of it is not a send.
  const lastSentAt = attempt.kind === 'send' ? attempt.startedAt : null;
  switch (next.kind) {
    case 'ended':
      return [];
    case 'again': {
      const { dueAt, attempts, ambiguous, error } = next;
      return [
        {
          id,
          head,
          state: 'queued',
          dueAt,
          attempts,
          ambiguous,
          error,
          lastSentAt: ambiguous ? lastSentAt : null,
        },
      ];
    }
    case 'stopped': {
      const ambiguous = delivery.ambiguous || next.state === 'held';
      const { attempts } = delivery;
      const { state, error } = next;
      return [
        {
          id,
          head,
          state,
          dueAt: null,
          attempts,
          ambiguous,
          error,
          lastSentAt: ambiguous ? lastSentAt : null,
        },
      ];
    }
  }
}

function writeChanged(outcomes: readonly SettleOutcome[], { seal }: Encoding): readonly Call[] {
  const rows = outcomes.flatMap(changeOf);
  if (rows.length === 0) return [];
  return [
    call(
      CHANGE_DELIVERIES,
      uuids(rows.map(({ id }) => id)),
      texts(rows.map(({ state }) => state)),
      booleans(rows.map(({ head }) => head)),
      instants(rows.map(({ dueAt }) => dueAt)),
      int4s(rows.map(({ attempts }) => attempts)),
      booleans(rows.map(({ ambiguous }) => ambiguous)),
      texts(rows.map(({ error }) => error?.code ?? null)),
      byteas(rows.map(({ id, error }) => (error === null ? null : sealError(seal, id, error)))),
      instants(rows.map(({ lastSentAt }) => lastSentAt)),
    ),
  ];
}

function writeAttempts(
  outcomes: readonly SettleOutcome[],
  me: string | null,
  { seal }: Encoding,
): readonly Call[] {
  if (outcomes.length === 0) return [];
  const rows = outcomes.map(({ settlement: { delivery, attempt } }) => ({ delivery, ...attempt }));
  return [
    call(
      WRITE_ATTEMPTS,
      uuids(rows.map(({ id }) => id)),
      uuids(rows.map(({ delivery }) => delivery.id)),
      uuids(rows.map(({ delivery }) => delivery.edition)),
      texts(rows.map(({ delivery }) => delivery.hospital)),
      texts(rows.map(({ kind }) => kind)),
      int4s(rows.map(({ no }) => no)),
      instants(rows.map(({ startedAt }) => startedAt)),
      instants(rows.map(({ endedAt }) => endedAt)),
      texts(rows.map(({ outcome }) => outcome)),
      texts(rows.map(({ summary }) => summary)),
      byteas(rows.map(({ id, response }) => (response === null ? null : seal.seal(id, response)))),
      texts(rows.map(({ plan }) => plan)),
      uuids(rows.map(() => me)),
    ),
  ];
}

function writeAudit(outcomes: readonly SettleOutcome[], { seal }: Encoding): readonly Call[] {
  const rows = outcomes.flatMap(({ settlement: { delivery, audit } }) =>
    audit === null ? [] : [{ delivery, ...audit }],
  );
  if (rows.length === 0) return [];
  return [
    call(
      WRITE_AUDIT,
      texts(rows.map(({ by }) => by)),
      texts(rows.map(({ action }) => action)),
      uuids(rows.map(({ delivery }) => delivery.id)),
      texts(rows.map(({ delivery }) => delivery.hospital)),
      byteas(rows.map(({ delivery, reason }) => seal.seal(delivery.id, Buffer.from(reason)))),
    ),
  ];
}

function promote({ closed, me }: Decided): readonly Call[] {
  if (closed.length === 0) return [];
  return [
    call(
      PROMOTE,
      me,
      texts(closed.map(({ channel }) => channel)),
      byteas(closed.map(({ lane }) => lane)),
      booleans(closed.map(({ hot }) => hot)),
    ),
  ];
}

async function findRunning({ plan, closed, me }: Decided, session: Session): Promise<readonly [Rows, Rows]> {
  const ids = plan.messages.flatMap(({ deliveries }) => deliveries.map(({ id }) => id));
  const hot = closed.filter((lane) => lane.hot);
  const [promoted = [], added = []] = await session.send([
    call(FIND_PROMOTED, me, texts(hot.map(({ channel }) => channel)), byteas(hot.map(({ lane }) => lane))),
    call(FIND_RUNNING, me, uuids(ids)),
  ]);
  return [promoted, added];
}

const laneKey = (channel: string, lane: Lane): string => `${channel}\0${lane.toString('hex')}`;

function settledOf({ plan }: Decided, promoted: Rows, added: Rows, { seal }: Encoding): readonly Settled[] {
  const running = new Set(added.filter(({ state }) => state === 'running').map(({ id }) => id as DeliveryId));
  const works = new Map<string, Work>();
  for (const row of promoted as unknown as readonly WorkRow[]) {
    if (row.state === 'running' && row.lane !== null)
      works.set(laneKey(row.channel, row.lane), workOf(seal, row));
  }
  return plan.outcomes.map((outcome): Settled => {
    if (outcome === null) return { kind: 'fenced' };
    const { consequences, closes, settlement } = outcome;
    const { channel, lane } = settlement.delivery;
    const ids = consequences.messages.flatMap(({ deliveries }) => deliveries.map(({ id }) => id));
    return {
      kind: 'settled',
      consequences,
      running: new Set(ids.filter((id) => running.has(id))),
      promoted: closes && lane !== null ? (works.get(laneKey(channel, lane)) ?? null) : null,
    };
  });
}

/** The settlement with nothing in its attempt that a column could refuse. */
function plain(settlement: Settlement): Settlement {
  const { attempt } = settlement;
  return { ...settlement, attempt: { ...attempt, summary: attempt.summary.replaceAll('\0', '') } };
}
