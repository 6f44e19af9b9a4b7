import type { Learnt } from '../booking.ts';
import { bookingSearch, type Deciding, fromAnswer, type Known } from '../consequences.ts';
import { BridgeError } from '../errors.ts';
import { type DeliveryId, type Message, newId } from '../message.ts';
import type { Decision } from '../records.ts';
import type { Consequences, Settled, Settlement, Work } from '../store.ts';
import { emitStep } from '../telemetry.ts';
import { changedMeanwhile, type Done, goesUntil, type OperationParts, stoppedWork } from './parts.ts';

/** What a person found out about a delivery that stands still. */
export type Finding =
  /** The hospital has it. `event` is what the booking hears of it; null for nothing. */
  | { readonly as: 'delivered'; readonly event: string | null; readonly learnt: Learnt }
  /** The hospital never got it: the same edition goes again. */
  | { readonly as: 'not-taken' }
  /** It will not be delivered any more. */
  | { readonly as: 'given-up' };

/**
 * Settles a held or dead delivery by what a person knows, in one transaction with what follows: the booking
 * hears it, Dawy is told, and the next of the lane goes on. Throws `not-allowed` when the delivery does not
 * stand still, or no longer, and `usage` for an event that no hospital reports.
 */
export async function settleByHand(
  parts: OperationParts,
  id: DeliveryId,
  finding: Finding,
  decision: Decision,
): Promise<Done> {
  const work = await stoppedWork(parts, id);
  if (finding.as === 'not-taken') {
    await parts.records.notTaken(id, { ...decision, giveUpAt: goesUntil(parts, work) });
    return { delivery: id, state: 'queued', booking: null, refused: null };
  }
  const said = finding.as === 'delivered' && finding.event !== null ? finding : null;
  const heard = said === null ? null : { ...said, event: said.event ?? '' };
  if (heard !== null && parts.desk.kindOf(heard.event) !== 'report')
    throw new BridgeError(
      'usage',
      `${heard.event} is nothing a hospital reports: docs/booking.md has the reports`,
    );
  if (heard !== null && work.bookingRef === null)
    throw new BridgeError(
      'not-allowed',
      `delivery ${id} belongs to no booking that could hear ${heard.event}`,
    );
  const settlement = settlementOf(parts, work, finding.as, decision);
  const [settled] = await parts.store.settle([settlement], (_settlement, booking) =>
    heard === null
      ? { messages: [], step: null }
      : reported(parts, work, heard, (known, report, deciding) =>
          fromAnswer(known, report, booking, deciding),
        ),
  );
  return doneOf(parts, work, finding.as, settled);
}

/** What a request of Dawy's leads to when the hospital has it: *placed*, not *confirmed*; that is the hospital's word to say. */
export function eventFor(type: string): string | null {
  switch (type) {
    case 'booking.requested':
      return 'booking.placed';
    case 'booking.reschedule-requested':
      return 'booking.rescheduled';
    case 'booking.cancel-requested':
      return 'booking.cancelled';
    default:
      return null;
  }
}

function settlementOf(
  { plan, clock, random, digest }: OperationParts,
  { delivery, bookingRef }: Work,
  as: 'delivered' | 'given-up',
  { by, reason }: Decision,
): Settlement {
  const now = clock.now();
  return {
    delivery,
    next: { kind: 'ended', as },
    onDead: plan.routes.get(delivery.route)?.onDead ?? 'block',
    attempt: {
      id: newId(clock, random),
      kind: 'decision',
      no: delivery.tries,
      startedAt: now,
      endedAt: now,
      outcome: as,
      summary: `decided by ${by}`,
      response: null,
      plan: plan.hash,
    },
    booking: bookingRef,
    lanes: bookingRef === null ? [] : [digest.lane(bookingRef)],
    fence: 'stopped',
    audit: { by, action: as, reason },
    promoteHot: false,
  };
}

interface Heard {
  readonly event: string;
  readonly learnt: Learnt;
}

/** The report as a message of its own, as an answer of the hospital would be. */
function reported(
  { plan, desk, digest, clock, random }: OperationParts,
  { delivery, message, bookingRef }: Work,
  { event, learnt }: Heard,
  decide: (known: Known, said: Parameters<typeof fromAnswer>[1], deciding: Deciding) => Consequences,
): Consequences {
  const raw: Message<Uint8Array> = {
    id: newId(clock, random),
    correlation: message.correlation,
    cause: message.id,
    channel: delivery.channel,
    type: event,
    hospital: message.hospital,
    headers: {},
    form: 'json',
    body: Buffer.from(JSON.stringify({ settledAs: event, ...learnt })),
    receivedAt: clock.now(),
  };
  const known: Known = { raw, decoded: raw, booking: bookingRef, search: bookingSearch(bookingRef) };
  const said = { kind: 'report', type: event, learnt, asked: message.type } as const;
  return decide(known, said, { plan, desk, digest, clock, random, reserve: () => false });
}

function doneOf(
  { store, telemetry }: OperationParts,
  { delivery }: Work,
  state: 'delivered' | 'given-up',
  settled: Settled | undefined,
): Done {
  if (settled?.kind !== 'settled') throw changedMeanwhile(delivery.id);
  const { messages, step } = settled.consequences;
  emitStep(telemetry, step);
  const channels = messages.flatMap(({ deliveries }) => deliveries.map(({ channel }) => channel));
  store.wake([...new Set([delivery.channel, ...channels])]);
  return {
    delivery: delivery.id,
    state,
    booking: step === null ? null : { from: step.before, to: step.after.state },
    refused: messages.find(({ refused }) => refused !== null)?.refused ?? null,
  };
}
