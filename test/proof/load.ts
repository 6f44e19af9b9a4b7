import { randomUUID } from 'node:crypto';
import type { DawyMessage } from '../../sandbox/dawy/messages.ts';
import { booking, type Plot, publish, type Story } from '../crash/load.ts';
import type { Chance } from '../crash/random.ts';
import type { Place } from './place.ts';

/** What two hundred messages are made of: bookings by their story, and the messages each of them has. */
const TWO_HUNDRED: readonly (readonly [story: Story, bookings: number])[] = [
  ['only asked', 88],
  ['moved', 20],
  ['cancelled', 18],
  ['moved and cancelled', 12],
];

/** Bookings of 200 messages, both hospitals having their share, in an order of chance. */
export function twoHundred(chance: Chance): readonly Plot[] {
  return shuffled(
    TWO_HUNDRED.flatMap(([story, bookings]) =>
      Array.from({ length: bookings }, (_, at): Plot => {
        return { hospital: at % 2 === 0 ? 'alnoor' : 'stmary', story };
      }),
    ),
    chance,
  );
}

/** Publishes them, some twice. */
export function publishTwoHundred({ world }: Place, chance: Chance): Promise<void> {
  return publish(world.dawy, twoHundred(chance), chance);
}

/** A request without a slot, which the schema refuses. */
export function unreadable(hospital: string): DawyMessage {
  const id = randomUUID();
  return { type: 'booking.requested', id, booking: { reference: `BK-bad-${id.slice(0, 8)}`, hospital } };
}

function shuffled<Item>(items: readonly Item[], chance: Chance): readonly Item[] {
  const mixed = [...items];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = chance.below(at + 1);
    [mixed[at], mixed[other]] = [mixed[other]!, mixed[at]!];
  }
  return mixed;
}

/** Publishes bookings once each, many at a time, each one's messages in their order. */
export async function publishOnce({ world }: Place, plots: readonly Plot[], writers = 24): Promise<void> {
  const left = [...plots];
  const write = async () => {
    for (let plot = left.pop(); plot !== undefined; plot = left.pop()) {
      for (const message of booking(plot)) await world.dawy.publish(message);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
}

/** Bookings that are only asked for, at one hospital or at both in turn. */
export function asked(count: number, hospital?: string): readonly Plot[] {
  return Array.from({ length: count }, (_, at): Plot => {
    return { hospital: hospital ?? (at % 2 === 0 ? 'alnoor' : 'stmary'), story: 'only asked' };
  });
}
