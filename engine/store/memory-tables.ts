import type { Booking } from '../booking.ts';
import type { BreakerState } from '../breaker.ts';
import type { Clock } from '../clock.ts';
import type { Delivery, DeliveryEnding, DeliveryState } from '../delivery.ts';
import { BridgeError } from '../errors.ts';
import type { ChannelName, DeliveryId, EditionId, MessageId } from '../message.ts';
import type { Random } from '../random.ts';
import type { Attempt, BookingStep, Edition, NewMessage } from '../store.ts';
import type { KnownId } from './folding.ts';

/** An open delivery as the tables would have it. */
export interface MemoryDelivery extends Delivery {
  readonly seq: number;
  readonly state: DeliveryState;
  readonly head: boolean;
  readonly owner: string | null;
  readonly dueAt: Date;
  readonly bookingRef: string | null;
  readonly lastSentAt: Date | null;
  readonly error: BridgeError | null;
}

interface Instance {
  readonly id: string;
  readonly crashed: boolean;
  readonly beatAtMs: number;
  readonly graceMs: number;
  readonly honours: number | null;
}

/** What memory stores share: the tables, and time and chance as the server would have them. */
export class MemoryTables {
  readonly messages = new Map<MessageId, NewMessage>();
  readonly ids = new Map<string, KnownId>();
  readonly bookings = new Map<string, Booking>();
  readonly steps: BookingStep[] = [];
  readonly open = new Map<DeliveryId, MemoryDelivery>();
  readonly ended = new Map<DeliveryId, MemoryDelivery & { readonly endedAs: DeliveryEnding }>();
  readonly editions = new Map<EditionId, Edition>();
  readonly attempts: (Attempt & { readonly delivery: DeliveryId })[] = [];
  readonly instances = new Map<string, Instance>();
  readonly breakers = new Map<ChannelName, BreakerState>();
  readonly plans = new Map<string, ReadonlyMap<string, string>>();
  readonly keptAt = new Map<MessageId, Date>();
  readonly listeners = new Map<string, (channels: readonly ChannelName[]) => void>();
  readonly clock: Clock;
  readonly random: Random;
  #seq = 0;

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  nextSeq(): number {
    this.#seq += 1;
    return this.#seq;
  }

  /** Open deliveries in the order they were kept. */
  inOrder(): readonly MemoryDelivery[] {
    return [...this.open.values()].sort((a, b) => a.seq - b.seq);
  }

  change(id: DeliveryId, to: Partial<MemoryDelivery>): MemoryDelivery {
    const row = this.open.get(id);
    if (row === undefined) throw new BridgeError('store-mismatch', `no open delivery ${id}`);
    const changed = { ...row, ...to };
    this.open.set(id, changed);
    return changed;
  }
}
