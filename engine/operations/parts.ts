import { decode } from '../attempt.ts';
import type { Desk } from '../booking.ts';
import type { OutboundChannel } from '../channel.ts';
import type { Clock } from '../clock.ts';
import { BridgeError } from '../errors.ts';
import type { Digest } from '../lane.ts';
import type { ChannelName, DeliveryId } from '../message.ts';
import type { Plan } from '../plan.ts';
import type { Random } from '../random.ts';
import type { Records } from '../records.ts';
import type { Store, Work } from '../store.ts';
import type { Telemetry } from '../telemetry.ts';

/** What an act by a person needs of the world. No engine: engines may run beside it. */
export interface OperationParts {
  readonly plan: Plan;
  readonly store: Store;
  readonly records: Records;
  readonly desk: Desk;
  readonly digest: Digest;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** A channel to ask a hospital something; the caller starts and stops it. */
  readonly openOutbound: (name: ChannelName) => OutboundChannel;
}

/** What came of an act by a person on a delivery. */
export interface Done {
  readonly delivery: DeliveryId;
  /** Where the delivery stands now. */
  readonly state: 'delivered' | 'given-up' | 'queued';
  /** How its booking moved; null when it heard nothing, or nothing new. */
  readonly booking: { readonly from: string | null; readonly to: string } | null;
  /** Why the booking did not take what was said; null when it did. The delivery is settled all the same. */
  readonly refused: BridgeError | null;
}

/** A delivery that stands still, with all it takes to act on it. Throws `not-allowed` when it does not stand still. */
export async function stoppedWork({ records }: OperationParts, id: DeliveryId): Promise<Work> {
  const work = await records.stopped(id);
  if (work !== null) return work;
  throw new BridgeError(
    'not-allowed',
    `delivery ${id} is neither held nor dead; only such a one waits for a person`,
  );
}

/**
 * How long a delivery that goes again may be tried: as long as its route says, from now on, and never past its
 * `notAfter`. Where the plan of today has no route for it or cannot read it, its time stays what it was.
 */
export function goesUntil({ plan, clock }: OperationParts, { delivery, message }: Work): Date {
  const route = plan.routes.get(delivery.route);
  const decoded = decode(message, plan);
  if (route === undefined || decoded instanceof BridgeError) return delivery.giveUpAt;
  return earlier(new Date(clock.now().getTime() + route.retry.forMs), route.notAfter(decoded));
}

function earlier(one: Date, other: Date | null): Date {
  return other !== null && other < one ? other : one;
}

/** The refusal that says somebody else was faster. */
export function changedMeanwhile(id: DeliveryId): BridgeError {
  return new BridgeError('not-allowed', `delivery ${id} was changed meanwhile; nothing was done`);
}
