import {
  cancelRequested,
  type DawyMessage,
  requested,
  rescheduleRequested,
  slotAt,
  type Wish,
} from '../../sandbox/dawy/messages.ts';
import type { Dawy } from '../support/world-dawy.ts';
import type { Chance } from './random.ts';

/** What becomes of a booking after it was asked for. */
export type Story = 'only asked' | 'moved' | 'cancelled' | 'moved and cancelled';

export interface Plot {
  readonly hospital: string;
  readonly story: Story;
}

/** Far enough ahead that no request comes too late. */
const DAYS_AHEAD = 400;
const WRITERS = 24;
/** How many of the messages Dawy publishes once more, as a sender does that missed an answer. */
const REPEATED = 0.05;

let lastNumber = 0;

/** The messages of one booking in their order. A doctor for each booking: no slot is contended for. */
export function booking({ hospital, story }: Plot): readonly DawyMessage[] {
  lastNumber += 1;
  const number = lastNumber;
  const wish: Wish = {
    reference: `BK-${number}`,
    hospital,
    slot: slotAt(new Date(), DAYS_AHEAD, 0),
    doctor: `DR-${number}`,
    patient: {
      id: String(number).padStart(9, '0'),
      name: `Test Patient ${number}`,
      birthDate: '1990-04-01',
      phone: '+966500000001',
    },
  };
  const first = requested(wish);
  const move = rescheduleRequested(wish, slotAt(new Date(), DAYS_AHEAD + 1, 2));
  const cancel = cancelRequested(wish, 'test');
  switch (story) {
    case 'only asked':
      return [first];
    case 'moved':
      return [first, move];
    case 'cancelled':
      return [first, cancel];
    case 'moved and cancelled':
      return [first, move, cancel];
  }
}

/** Two thirds of the bookings are only asked for; the rest goes on. Both hospitals have their share. */
export function plots(count: number, chance: Chance): readonly Plot[] {
  return Array.from({ length: count }, () => ({
    hospital: chance.hits(0.5) ? 'alnoor' : 'stmary',
    story: chance.hits(2 / 3)
      ? 'only asked'
      : (['moved', 'cancelled', 'moved and cancelled'] as const)[chance.below(3)]!,
  }));
}

/** Publishes bookings, many at a time, each one's messages in their order; some messages twice. */
export async function publish(
  dawy: Dawy,
  todo: readonly Plot[],
  chance: Chance,
  writers = WRITERS,
): Promise<void> {
  const left = [...todo];
  const write = async () => {
    for (let plot = left.pop(); plot !== undefined; plot = left.pop()) {
      for (const message of booking(plot)) {
        await dawy.publish(message);
        if (chance.hits(REPEATED)) await dawy.repeat(message.id);
      }
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
}

/**
 * Publishes everything that was published once more, and a new booking at the end: when that is kept, all the repeats
 * before it have been looked at.
 */
export async function publishAgain(dawy: Dawy): Promise<void> {
  await Promise.all(dawy.published.map(({ messageId }) => dawy.repeat(messageId)));
  const [last] = booking({ hospital: 'alnoor', story: 'only asked' });
  await dawy.publish(last!);
}
