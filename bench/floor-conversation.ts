/** What one conversation of the floor consists of, and what is said in it: the bodies of requests, answers and events. */
import { hash, randomBytes } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import type { Digest } from '../engine/lane.ts';

/** What Dawy asks for, as far as it is read. */
interface Asked {
  readonly booking: { readonly reference: string };
  readonly slot: { readonly start: string; readonly end: string };
  readonly doctor: { readonly id: string };
  readonly patient: {
    readonly id: string;
    readonly name: string;
    readonly birthDate: string;
    readonly phone: string;
  };
  readonly note: string;
}

/** A delivery whose bytes are fixed. Bodies are as they are kept: behind the byte that says that they are plain. */
export interface Sending {
  readonly reference: string;
  readonly lane: Buffer;
  readonly message: Buffer;
  readonly delivery: Buffer;
  readonly edition: Buffer;
  readonly key: string;
  readonly body: Buffer;
  readonly facts: Buffer;
  readonly at: Date;
}

/** An arrival on its way to the hospital. */
export interface Request extends Sending {
  readonly tag: number;
  readonly id: string;
  readonly asked: Asked;
  readonly headers: Buffer;
  readonly arrived: Buffer;
  readonly digest: Buffer;
  readonly context: Buffer;
}

/** The hospital's answer, and the event that follows from it. */
export interface Answer {
  readonly id: Buffer;
  readonly hospitalRef: string;
  readonly digest: Buffer;
  readonly context: Buffer;
  readonly event: Sending & { readonly said: Buffer; readonly digest: Buffer };
}

export const PLAIN = Buffer.of(0);
const sealed = (value: unknown): Buffer => Buffer.from(`\0${JSON.stringify(value)}`);
const digestOf = (kept: Buffer): Buffer => hash('sha256', kept.subarray(1), 'buffer');

const CHANCE_BYTES = 16_384;
let chance = randomBytes(CHANCE_BYTES);
let drawn = 0;

/** A UUIDv7 as its bytes. Chance is drawn in large pieces. */
export function newId(): Buffer {
  if (drawn === CHANCE_BYTES) {
    chance = randomBytes(CHANCE_BYTES);
    drawn = 0;
  }
  const id = chance.subarray(drawn, drawn + 16);
  drawn += 16;
  id.writeUIntBE(Date.now(), 0, 6);
  id[6] = 0x70 | ((id[6] ?? 0) & 0x0f);
  id[8] = 0x80 | ((id[8] ?? 0) & 0x3f);
  return id;
}

function textOf(id: Buffer): string {
  const hex = id.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function requestOf({ content, properties, fields }: ConsumeMessage, digests: Digest): Request {
  const asked = JSON.parse(content.toString()) as Asked;
  const { slot, doctor, patient, note } = asked;
  const { reference } = asked.booking;
  const id = String(properties.messageId);
  const edition = newId();
  const key = edition.toString('hex', 6);
  const arrived = Buffer.concat([PLAIN, content]);
  return {
    tag: fields.deliveryTag,
    id,
    asked,
    arrived,
    digest: digestOf(arrived),
    headers: sealed({
      'amqp.messageId': id,
      'amqp.type': properties.type,
      'amqp.contentType': properties.contentType,
      'amqp.routingKey': fields.routingKey,
      'amqp.redelivered': String(fields.redelivered),
    }),
    context: sealed({
      asked: { slotStart: slot.start, slotEnd: slot.end, doctor: doctor.id, patient: patient.id },
    }),
    reference,
    lane: digests.lane(reference),
    message: newId(),
    delivery: newId(),
    edition,
    key,
    body: sealed({
      externalReference: reference,
      doctorId: doctor.id,
      start: slot.start,
      end: slot.end,
      patient: { id: patient.id, name: patient.name, birthDate: patient.birthDate, phone: patient.phone },
      note,
    }),
    facts: sealed({
      booking: { reference, state: 'requested' },
      edition: { key },
      system: { name: 'riverside', timeZone: 'Asia/Riyadh' },
    }),
    at: new Date(),
  };
}

export function answerOf({ reference, lane, asked }: Request, response: Buffer): Answer {
  const {
    id: hospitalRef,
    start: slotStart,
    end: slotEnd,
  } = JSON.parse(response.toString('utf8', 1)) as {
    readonly id: string;
    readonly start: string;
    readonly end: string;
  };
  const id = newId();
  const edition = newId();
  const key = edition.toString('hex', 6);
  const at = new Date();
  const booking = { reference, state: 'confirmed', hospitalRef, slotStart, slotEnd };
  const data = {
    booking: { ...booking, hospital: 'riverside' },
    asked: 'booking.requested',
    cause: textOf(id),
  };
  const said = sealed({ type: 'booking.confirmed', at, ...data });
  return {
    id,
    hospitalRef,
    digest: digestOf(response),
    context: sealed({
      hospitalRef,
      agreed: { slotStart, slotEnd, doctor: asked.doctor.id, patient: asked.patient.id },
    }),
    event: {
      said,
      digest: digestOf(said),
      reference,
      lane,
      message: newId(),
      delivery: newId(),
      edition,
      key,
      body: sealed({
        specversion: '1.0',
        id: key,
        source: 'hisbridge',
        type: 'booking.confirmed',
        time: at,
        subject: reference,
        datacontenttype: 'application/json',
        data,
      }),
      facts: sealed({ booking, edition: { key }, system: { name: 'dawy', timeZone: null } }),
      at,
    },
  };
}
