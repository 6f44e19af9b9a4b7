import { createDesk } from '../../../engine/booking/desk.ts';
import type { Booking, BookingInput, BookingOutcome, Learnt } from '../../../engine/booking.ts';
import type { MessageId, SystemName } from '../../../engine/message.ts';

export const desk = createDesk();
export const START = new Date('2026-03-01T08:00:00Z');
export const RIVERSIDE = 'riverside' as SystemName;

/** The times the tests speak of. */
export const MONDAY = { slotStart: '2026-03-02T08:00:00+03:00', slotEnd: '2026-03-02T08:20:00+03:00' };
export const TUESDAY = { slotStart: '2026-03-03T09:00:00+03:00', slotEnd: '2026-03-03T09:20:00+03:00' };
export const FRIDAY = { slotStart: '2026-03-06T10:00:00+03:00', slotEnd: '2026-03-06T10:20:00+03:00' };

export const REQUESTED = 'booking.requested';
export const MOVE = 'booking.reschedule-requested';
export const CANCEL = 'booking.cancel-requested';

export function input(
  type: string,
  learnt: Learnt = {},
  asked: string | null = null,
  at = START,
): BookingInput {
  const kind = type === 'timer' ? 'timer' : desk.kindOf(type) === 'request' ? 'request' : 'report';
  return { kind, type, learnt, asked, messageId: '0' as MessageId, at };
}

/** One conversation, remembering the outcome of its last step and all it said. */
export class Conversation {
  booking: Booking | null = null;
  last: BookingOutcome | null = null;
  readonly said: string[] = [];

  hear(type: string, learnt: Learnt = {}, asked: string | null = null, at = START): this {
    return this.take(input(type, learnt, asked, at));
  }

  take(heard: BookingInput): this {
    this.last = desk.step('BK-1', RIVERSIDE, this.booking, heard);
    if (this.last.kind === 'moved') {
      this.booking = this.last.booking;
      this.said.push(...this.last.says.map(({ type }) => type));
    }
    return this;
  }

  get known(): Booking {
    if (this.booking === null) throw new TypeError('no booking yet');
    return this.booking;
  }

  get state(): string {
    return this.known.state;
  }

  get outcome(): string | undefined {
    return this.last?.kind;
  }

  copy(): Conversation {
    const copy = new Conversation();
    copy.booking = this.booking;
    return copy;
  }
}

export function requested(): Conversation {
  return new Conversation().hear(REQUESTED, MONDAY);
}

export function placed(): Conversation {
  return requested().hear('booking.placed', { hospitalRef: 'H-7' }, REQUESTED);
}

export function confirmed(): Conversation {
  return placed().hear('booking.confirmed', MONDAY);
}
