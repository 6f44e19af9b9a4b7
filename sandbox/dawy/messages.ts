import { randomUUID } from 'node:crypto';

/** A message as Dawy publishes it: plain JSON, its type the routing key, its id the AMQP message id. */
export interface DawyMessage {
  readonly type: 'booking.requested' | 'booking.reschedule-requested' | 'booking.cancel-requested';
  readonly id: string;
  readonly booking: { readonly reference: string; readonly hospital: string };
  readonly slot?: Slot;
  readonly doctor?: { readonly id: string };
  readonly patient?: Patient;
  readonly note?: string;
  readonly reason?: string;
}

export interface Slot {
  readonly start: string;
  readonly end: string;
}

export interface Patient {
  readonly id: string;
  readonly name: string;
  readonly birthDate: string;
  readonly phone: string;
}

/** A booking somebody asks Dawy for. */
export interface Wish {
  readonly reference: string;
  readonly hospital: string;
  readonly slot: Slot;
  readonly doctor: string;
  readonly patient: Patient;
  readonly note?: string;
}

/** Asks a hospital for an appointment. */
export function requested({ reference, hospital, slot, doctor, patient, note }: Wish): DawyMessage {
  return {
    type: 'booking.requested',
    id: randomUUID(),
    booking: { reference, hospital },
    slot,
    doctor: { id: doctor },
    patient,
    ...(note === undefined ? {} : { note }),
  };
}

/** Asks for another slot of the same booking. */
export function rescheduleRequested({ reference, hospital }: Wish, slot: Slot): DawyMessage {
  return { type: 'booking.reschedule-requested', id: randomUUID(), booking: { reference, hospital }, slot };
}

/** Asks to give the appointment up. */
export function cancelRequested({ reference, hospital }: Wish, reason: string): DawyMessage {
  return { type: 'booking.cancel-requested', id: randomUUID(), booking: { reference, hospital }, reason };
}

const HALF_HOUR_MS = 30 * 60_000;
// Riyadh has one offset all year.
const OFFSET = '+03:00';
const OFFSET_MS = 3 * 3_600_000;

/** The half hour that starts `halfHours` after eight in the morning, `days` after `today`, on a Riyadh clock. */
export function slotAt(today: Date, days: number, halfHours: number): Slot {
  const midnight = Math.floor((today.getTime() + OFFSET_MS) / 86_400_000) + days;
  const start = midnight * 86_400_000 + 8 * 3_600_000 + halfHours * HALF_HOUR_MS;
  return { start: onRiyadhClock(start), end: onRiyadhClock(start + HALF_HOUR_MS) };
}

function onRiyadhClock(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}${OFFSET}`;
}
