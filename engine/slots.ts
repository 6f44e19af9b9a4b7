import type { ChannelName, DeliveryId, Message } from './message.ts';
import type { Consequences, Work } from './store.ts';

/** What a keeping or settling transaction needs of the dispatchers to hand deliveries over hot. */
export interface HandOver {
  /** Opens a reservation for one batch. Must be closed. */
  reservation(): Reservation;
}

/** Slots set aside while a batch is decided, because a delivery may only begin as running where there is one. */
export interface Reservation {
  /** Sets a slot of the channel aside for what follows from `by`; false when there is none. */
  take(channel: ChannelName, by: string): boolean;
  /** Gives back what `by` had taken: its decision is made anew. */
  restart(by: string): void;
  /** Starts the deliveries of `by` that came out as running, in the slots set aside for them, and looks for the others. */
  dispatch(
    by: string,
    consequences: Consequences,
    running: ReadonlySet<DeliveryId>,
    decoded: Message | null,
  ): void;
  /** Gives back every slot that was not used. */
  close(): void;
}

/** One outbound channel as the reservation sees it. */
export interface Slots {
  readonly name: ChannelName;
  reserve(): boolean;
  release(): void;
  /** Starts work in a slot that was reserved before. */
  start(work: Work, decoded: Message | null): void;
  /** Says that work was queued which did not begin here. */
  queued(): void;
}

/** A reservation over the channels of this instance; `elsewhere` tells the others about work left to them. */
export function reservationOver(
  slotsOf: (channel: ChannelName) => Slots | undefined,
  elsewhere: (channels: readonly ChannelName[]) => void,
): Reservation {
  const taken = new Map<string, Slots[]>();
  const left = new Set<ChannelName>();

  const restart = (by: string) => {
    for (const slots of taken.get(by) ?? []) slots.release();
    taken.delete(by);
  };

  return {
    restart,
    take(channel, by) {
      const slots = slotsOf(channel);
      if (!slots?.reserve()) return false;
      const mine = taken.get(by);
      if (mine === undefined) taken.set(by, [slots]);
      else mine.push(slots);
      return true;
    },
    dispatch(by, consequences, running, decoded) {
      const mine = taken.get(by) ?? [];
      for (const { work, channel } of workOf(consequences)) {
        const slots = running.has(work.delivery.id) ? without(mine, channel) : undefined;
        slots?.start(work, decoded?.id === work.message.id ? decoded : null);
        if (slots !== undefined) continue;
        slotsOf(channel)?.queued();
        left.add(channel);
      }
    },
    close() {
      for (const by of [...taken.keys()]) restart(by);
      if (left.size > 0) elsewhere([...left]);
    },
  };
}

/** Takes the slot that was reserved in a channel out of the list. The channel may have been opened anew meanwhile. */
function without(reserved: Slots[], channel: ChannelName): Slots | undefined {
  const at = reserved.findIndex(({ name }) => name === channel);
  return at < 0 ? undefined : reserved.splice(at, 1)[0];
}

/** Each new delivery as the work it is when it begins as running. */
function* workOf({ messages, step }: Consequences): Generator<{ work: Work; channel: ChannelName }> {
  for (const { message, booking, deliveries } of messages) {
    for (const { id, route, channel, lane, edition, giveUpAt } of deliveries) {
      const { hospital, receivedAt: keptAt } = message;
      const delivery = {
        id,
        message: message.id,
        route,
        channel,
        hospital,
        lane,
        edition,
        tries: 1,
        attempts: 0,
        ambiguous: false,
        keptAt,
        giveUpAt,
      };
      const work = {
        delivery,
        message,
        bookingRef: booking,
        booking: step?.after ?? null,
        edition: null,
        lastSentAt: null,
      };
      yield { work, channel };
    }
  }
}
