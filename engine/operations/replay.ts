import { BridgeError } from '../errors.ts';
import type { DeliveryId } from '../message.ts';
import type { Decision } from '../records.ts';
import { goesUntil, type OperationParts, stoppedWork } from './parts.ts';

/** What a person must say on purpose. */
export interface Replay extends Decision {
  /** Also when newer deliveries of its lane have gone. */
  readonly outOfOrder: boolean;
  /** Also when it may have been taken, so that the hospital may get it twice. */
  readonly asNew: boolean;
}

/**
 * Sends a delivery that stands still again as something new. Throws `not-allowed` when it does not stand still,
 * when it is held (unless `asNew`), when newer ones have gone (unless `outOfOrder`), and when it would come too late.
 */
export async function replay(parts: OperationParts, id: DeliveryId, how: Replay): Promise<void> {
  const work = await stoppedWork(parts, id);
  const giveUpAt = goesUntil(parts, work);
  if (giveUpAt <= parts.clock.now())
    throw new BridgeError(
      'not-allowed',
      `delivery ${id} makes no sense any more: its time is over, and nothing would be sent`,
    );
  await parts.records.replay(id, { ...how, giveUpAt });
}
