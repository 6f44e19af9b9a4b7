import { type Attempted, attempt } from '../attempt.ts';
import { type Next, next } from '../delivery.ts';
import { BridgeError } from '../errors.ts';
import type { DeliveryId } from '../message.ts';
import type { Decision } from '../records.ts';
import { DEFAULT_RETRY } from '../retry.ts';
import { Settler } from '../settler.ts';
import { reservationOver } from '../slots.ts';
import type { Work } from '../store.ts';
import type { Telemetry } from '../telemetry.ts';
import { changedMeanwhile, type Done, goesUntil, type OperationParts, stoppedWork } from './parts.ts';

/** What the hospital says of a delivery when it is asked. */
export type Found =
  | { readonly word: 'taken' | 'declined' | 'absent' }
  /** It cannot say, or not yet. */
  | { readonly word: 'unsure'; readonly error: BridgeError };

/** A question that was asked, and what it takes to act on the answer. */
export interface Probed {
  readonly found: Found;
  readonly work: Work;
  readonly attempted: Attempted;
  readonly startedAt: Date;
}

/**
 * Asks the hospital whether it has what a held or dead delivery asked for. Changes nothing, here or there. Throws
 * `not-allowed` when the delivery does not stand still, was never sent, or its channel has no way to ask.
 */
export async function probe(parts: OperationParts, id: DeliveryId): Promise<Probed> {
  const { plan, clock, openOutbound } = parts;
  const work = await stoppedWork(parts, id);
  const { channel: name } = work.delivery;
  const outbound = plan.outbound.get(name);
  if (outbound === undefined) throw new BridgeError('not-allowed', `${name} is not in routes.yaml any more`);
  if (outbound.probe === null) throw new BridgeError('not-allowed', `${name} has no probe in routes.yaml`);
  if (work.edition === null) throw new BridgeError('not-allowed', `delivery ${id} was never sent`);
  const startedAt = clock.now();
  const channel = openOutbound(name);
  await channel.start();
  try {
    // As after a send that was not answered: that one is asked about, never sent.
    const asked = { ...work, delivery: { ...work.delivery, ambiguous: true } };
    const write = () => Promise.resolve(false);
    const attempted = await attempt(asked, null, {
      plan,
      outbound,
      channel,
      clock,
      write,
      maySend: () => true,
    });
    if (attempted?.kind !== 'probe') throw failureOf(attempted);
    return { found: foundIn(attempted), work, attempted, startedAt };
  } finally {
    await channel.stop();
  }
}

/** Acts on what a probe found: ends the delivery, or sends the same edition again. What is unsure changes nothing. */
export async function settleByProbe(
  parts: OperationParts,
  { found, work, attempted, startedAt }: Probed,
  decision: Decision,
): Promise<Done | null> {
  const { id } = work.delivery;
  if (found.word === 'unsure') return null;
  if (found.word === 'absent') {
    await parts.records.notTaken(id, { ...decision, giveUpAt: goesUntil(parts, work) });
    return { delivery: id, state: 'queued', booking: null, refused: null };
  }
  const route = parts.plan.routes.get(work.delivery.route) ?? null;
  const standing = standingAfter(parts, work, attempted);
  let booking: Done['booking'] = null;
  const emit: Telemetry['emit'] = (event) => {
    if (event.kind === 'booking-moved') booking = { from: event.from, to: event.to };
    parts.telemetry.emit(event);
  };
  const settler = new Settler({
    ...parts,
    plan: () => parts.plan,
    telemetry: { emit },
    // A person waits: a lost store is said, not waited for.
    stopping: AbortSignal.abort(),
    handOver: {
      reservation: () =>
        reservationOver(
          () => undefined,
          (channels) => parts.store.wake(channels),
        ),
    },
  });
  const audit = { ...decision, action: `probe-${found.word}` };
  const ended = { work, attempted, next: standing, route, startedAt, promoteHot: false, audit };
  const { kind } = await settler.settle(ended);
  if (kind === 'fenced') throw changedMeanwhile(id);
  parts.store.wake([work.delivery.channel]);
  return { delivery: id, state: 'delivered', booking, refused: null };
}

function standingAfter(
  { plan, clock, random }: OperationParts,
  { delivery }: Work,
  { outcome }: Attempted,
): Next {
  const outbound = plan.outbound.get(delivery.channel);
  return next(delivery, outcome, {
    retry: plan.routes.get(delivery.route)?.retry ?? DEFAULT_RETRY,
    repeats: outbound?.repeats ?? 'unsafe',
    settleAfterMs: outbound?.probe?.settleAfterMs ?? 0,
    now: clock.now(),
    fraction: random.fraction(),
  });
}

function foundIn({ outcome }: Attempted): Found {
  switch (outcome.kind) {
    case 'absent':
      return { word: 'absent' };
    case 'answered':
      return outcome.verdict === 'taken' || outcome.verdict === 'declined'
        ? { word: outcome.verdict }
        : { word: 'unsure', error: new BridgeError('probe-inconclusive', outcome.answer.summary) };
    case 'failed':
      return { word: 'unsure', error: outcome.error };
  }
}

function failureOf(attempted: Attempted | null): BridgeError {
  if (attempted?.outcome.kind === 'failed') return attempted.outcome.error;
  return new BridgeError('stage-crashed', 'the question could not be asked');
}
