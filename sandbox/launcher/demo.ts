import { randomInt } from 'node:crypto';

import {
  cancelRequested,
  type Patient,
  requested,
  rescheduleRequested,
  type Slot,
  slotAt,
  type Wish,
} from '../dawy/messages.ts';
import { type DawyPublisher, openPublisher } from '../dawy/publish.ts';
import type { Log } from '../servers/server.ts';
import type { LoggedEvent, Trail } from './trail.ts';

const PATIENCE_MS = 20_000;

// Invented people. The zeros in front and the name that is not Latin must arrive as they are.
const LAYLA = patient('0012345', 'Layla Example', '1990-04-01', '+966500000001');
const NINE = patient('0000009', 'Test Patient Nine', '1971-12-31', '+966500000009');
const ARABIC = patient('0077001', 'مريض تجريبي', '2001-02-28', '+966500000077');
const OTHER = patient('0055002', "Sample O'Testing & Co <i>", '1985-07-15', '+966500000055');

/** The bookings of one demonstration: its own references and slots, so that every start books something new. */
interface Scene {
  readonly layla: Wish;
  readonly nine: Wish;
  readonly arabic: Wish;
  readonly staying: Wish;
  readonly lateAtAlnoor: Wish;
  readonly lateAtStmary: Wish;
  readonly unusable: Wish;
  readonly another: Slot;
}

/**
 * Publishes, as Dawy would, something of everything: bookings at both hospitals, slots that are taken, a reschedule, a cancel,
 * a repeat and a message that cannot be used. Resolves when all of it has come to its end, or after a while.
 */
export async function demonstrate(amqpUrl: string, trail: Trail, say: Log): Promise<void> {
  const scene = sceneFor(new Date());
  const dawy = await openPublisher(amqpUrl);
  try {
    await opening(scene, dawy, trail, say);
    await sequel(scene, dawy, trail, say);
  } finally {
    await dawy.close();
  }
}

async function opening(
  { layla, nine, arabic, staying }: Scene,
  dawy: DawyPublisher,
  trail: Trail,
  say: Log,
): Promise<void> {
  say('');
  say('Dawy asks for four appointments: two at alnoor (REST/JSON), two at stmary (SOAP/XML).');
  const wishes = [layla, nine, arabic, staying];
  const confirmed = wishes.map((wish) => trail.until(toldDawy(wish, 'booking.confirmed'), PATIENCE_MS));
  for (const wish of wishes) await dawy.publish(requested(wish));
  await Promise.all(confirmed);
}

async function sequel(scene: Scene, dawy: DawyPublisher, trail: Trail, say: Log): Promise<void> {
  const { layla, nine, lateAtAlnoor, lateAtStmary, unusable, another } = scene;
  say('');
  say(
    'Then: a new time, a cancellation, two slots that are taken, a message sent twice, one without a patient.',
  );
  const ends = [
    trail.until(toldDawy(layla, 'booking.rescheduled'), PATIENCE_MS),
    trail.until(toldDawy(nine, 'booking.cancelled'), PATIENCE_MS),
    trail.until(toldDawy(lateAtAlnoor, 'booking.rejected'), PATIENCE_MS),
    trail.until(toldDawy(lateAtStmary, 'booking.rejected'), PATIENCE_MS),
    trail.until(toldDawy(unusable, 'message.refused'), PATIENCE_MS),
    trail.until((event) => event['event'] === 'message-duplicate', PATIENCE_MS),
  ];
  const twice = requested(lateAtAlnoor);
  const { patient: _, ...withoutPatient } = requested(unusable);
  await dawy.publish(twice);
  await dawy.publish(requested(lateAtStmary));
  await dawy.publish(rescheduleRequested(layla, another));
  await dawy.publish(cancelRequested(nine, 'The patient cannot come.'));
  await dawy.publish(twice);
  await dawy.publishBytes(Buffer.from(JSON.stringify(withoutPatient)), withoutPatient);
  const seen = await Promise.all(ends);
  const missing = seen.filter((came) => !came).length;
  if (missing > 0)
    say(
      `${missing} of ${seen.length} outcomes did not come within ${PATIENCE_MS / 1000} s: the trail above shows how far each got.`,
    );
}

/** Holds for the delivery that tells Dawy of `type` about this booking. */
function toldDawy({ reference }: Wish, type: string): (event: LoggedEvent) => boolean {
  return (event) =>
    event['event'] === 'delivery-settled' &&
    event['channel'] === 'dawy-out' &&
    event['booking'] === reference &&
    event['type'] === type;
}

function sceneFor(now: Date): Scene {
  const day = randomInt(2, 300);
  const half = randomInt(0, 12);
  const run = Math.floor(now.getTime() / 1000)
    .toString(36)
    .slice(-5)
    .toUpperCase();
  const wish = (number: number, hospital: string, doctor: string, who: Patient, at: number): Wish => ({
    reference: `BK-${run}-${number}`,
    hospital,
    doctor,
    patient: who,
    slot: slotAt(now, day, half + at),
  });
  return {
    layla: wish(1, 'alnoor', 'DR-881', LAYLA, 0),
    nine: wish(2, 'stmary', 'DR-204', NINE, 1),
    arabic: { ...wish(3, 'alnoor', 'DR-305', ARABIC, 2), note: 'أول زيارة — "first visit"' },
    staying: wish(4, 'stmary', 'DR-117', LAYLA, 3),
    // The doctor and the time of the two before: taken by then.
    lateAtAlnoor: wish(5, 'alnoor', 'DR-305', OTHER, 2),
    lateAtStmary: wish(6, 'stmary', 'DR-117', OTHER, 3),
    unusable: wish(7, 'alnoor', 'DR-881', NINE, 4),
    another: slotAt(now, day + 1, half),
  };
}

function patient(id: string, name: string, birthDate: string, phone: string): Patient {
  return { id, name, birthDate, phone };
}
