import { Batcher } from './batch.ts';
import type { BookingInput, Desk } from './booking.ts';
import type { Arrival, Receipt } from './channel.ts';
import type { Clock } from './clock.ts';
import { alone, fromArrival, type Known, lanesOf, refusal, type Said } from './consequences.ts';
import { BridgeError } from './errors.ts';
import { failpoint } from './failpoint.ts';
import { bodyDigest, type Digest } from './lane.ts';
import {
  type ChannelName,
  type Message,
  type MessageId,
  NO_HOSPITAL,
  newId,
  type SystemName,
  TIMER,
} from './message.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import type { PartialReading, Reading } from './route.ts';
import type { HandOver } from './slots.ts';
import type { Keeping, Kept, Store } from './store.ts';
import { emitStep, type Telemetry } from './telemetry.ts';

export interface IntakeParts {
  readonly plan: () => Plan;
  readonly desk: Desk;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly telemetry: Telemetry;
  readonly handOver: HandOver;
}

const BATCH_LIMIT = 200;
/** Two hundred bodies of the usual size are far below it; of larger ones fewer go at once, so that a batch takes no seconds. */
const BATCH_BYTES = 8_388_608;

/** One arrival between its reading and its keeping. */
interface Entry {
  readonly keeping: Keeping;
  readonly known: Known;
  readonly said: Said | null;
  readonly plan: Plan;
  readonly startedAtMs: number;
  /** For a deadline: the version of the booking it belongs to. A booking that has moved on hears nothing. */
  readonly version?: number;
}

/**
 * Takes arrivals in: read, decide, keep. Nothing here talks to a hospital. Once `accept` resolves the
 * message is on disk with all that follows from it, and only then may its sender be answered.
 */
export class Intake {
  readonly #parts: IntakeParts;
  /** One batch at a time: the order of the calls is the order of keeping. */
  readonly #keeping: Batcher<Entry, Kept>;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#keeping = new Batcher((entries) => this.#keep(entries), parts.clock, BATCH_LIMIT, {
      of: ({ keeping }) => keeping.message.body.byteLength,
      most: BATCH_BYTES,
    });
  }

  /** Keeps one arrival of an inbound channel. Rejects only when the store is lost: then nothing was kept. */
  async accept(channel: ChannelName, arrival: Arrival): Promise<Receipt> {
    const entry = this.#read(channel, arrival);
    failpoint('M1');
    const kept = await this.#keeping.add(entry);
    failpoint('M3');
    return this.#receipt(entry, kept);
  }

  /** Tells a booking that its deadline has passed. The version it had then makes a second telling a repeat. */
  async wake(reference: string, hospital: SystemName, version: number): Promise<void> {
    const { plan, clock } = this.#parts;
    const id = `${reference}@${version}`;
    const raw = this.#message(
      TIMER,
      { body: Buffer.from('{}'), headers: {} },
      { type: 'timer', hospital, booking: reference },
    );
    const known: Known = { raw, decoded: raw, booking: reference, search: [] };
    const keeping = this.#entry(known, { id, plan: plan(), refused: null });
    const said: Said = { kind: 'timer', type: 'timer', learnt: {}, asked: null };
    await this.#keeping.add({
      keeping,
      known,
      said,
      plan: plan(),
      startedAtMs: clock.monotonicMs(),
      version,
    });
  }

  /** Resolves once every arrival already taken is answered. */
  idle(): Promise<void> {
    return this.#keeping.idle();
  }

  #read(channel: ChannelName, arrival: Arrival): Entry {
    const { clock, desk } = this.#parts;
    const startedAtMs = clock.monotonicMs();
    const plan = this.#parts.plan();
    const inbound = plan.inbound.get(channel);
    if (inbound === undefined) throw new BridgeError('store-mismatch', `${channel} is not in the plan`);

    const result = inbound.read(arrival);
    const reading: PartialReading = result.kind === 'read' ? result.reading : result.partial;
    const refused = result.kind === 'refused' ? result.error : null;
    const raw = this.#message(channel, arrival, reading);
    const decoded =
      result.kind === 'read' ? { ...raw, form: result.reading.form, body: result.reading.body } : raw;
    // A sender that gives no id is recognized by its bytes: the same bytes are the same message.
    const id = reading.id ?? `sha256:${bodyDigest(raw.body).toString('hex')}`;
    const known: Known = { raw, decoded, booking: reading.booking ?? null, search: searchOf(reading, id) };
    const keeping = this.#entry(known, { id, plan, refused });
    return { keeping, known, said: saidBy(desk, raw.type, reading), plan, startedAtMs };
  }

  #message(channel: ChannelName, { body, headers }: Arrival, reading: PartialReading): Message<Uint8Array> {
    const { clock, random } = this.#parts;
    const id = newId<MessageId>(clock, random);
    return {
      id,
      correlation: reading.booking ?? id,
      cause: null,
      channel,
      type: reading.type ?? '-',
      hospital: reading.hospital ?? NO_HOSPITAL,
      headers,
      form: 'bytes',
      body,
      receivedAt: clock.now(),
    };
  }

  #entry(
    known: Known,
    { id, plan, refused }: { id: string; plan: Plan; refused: BridgeError | null },
  ): Keeping {
    const { digest } = this.#parts;
    const { raw, booking, search } = known;
    const sha = bodyDigest(raw.body);
    const lanes =
      refused === null ? lanesOf(known, plan, digest) : booking === null ? [] : [digest.lane(booking)];
    const dedupe = digest.dedupe(raw.channel, id);
    return { message: raw, bodyDigest: sha, dedupe, booking, lanes, search, refused };
  }

  async #keep(entries: readonly Entry[]): Promise<readonly Kept[]> {
    const { store, desk, digest, clock, random, handOver } = this.#parts;
    const byId = new Map(entries.map((entry) => [entry.keeping.message.id, entry]));
    const reservation = handOver.reservation();
    try {
      const kept = await store.keep(
        entries.map(({ keeping }) => keeping),
        (keeping, booking) => {
          const { known, said, plan, version } = byId.get(keeping.message.id) as Entry;
          reservation.restart(keeping.message.id);
          const reserve = (channel: ChannelName) => reservation.take(channel, keeping.message.id);
          const deciding = { plan, desk, digest, clock, random, reserve };
          if (keeping.refused !== null) return refusal(known, keeping.refused, deciding);
          const movedOn = version !== undefined && booking?.version !== version;
          return movedOn ? alone(known) : fromArrival(known, said, booking, deciding);
        },
      );
      for (const result of kept) {
        if (result.kind !== 'accepted' && result.kind !== 'refused') continue;
        const known = byId.get(result.id)?.known;
        reservation.dispatch(result.id, result.consequences, result.running, known?.decoded ?? null);
      }
      return kept;
    } finally {
      reservation.close();
    }
  }

  #receipt({ known, startedAtMs }: Entry, kept: Kept): Receipt {
    const { telemetry, clock } = this.#parts;
    const { channel, type, hospital, body } = known.raw;
    switch (kept.kind) {
      case 'accepted': {
        const deliveries = kept.consequences.messages[0]?.deliveries.length ?? 0;
        const tookMs = clock.monotonicMs() - startedAtMs;
        const { booking } = known;
        telemetry.emit({
          kind: 'message-kept',
          id: kept.id,
          channel,
          type,
          hospital,
          booking,
          bytes: body.byteLength,
          deliveries,
          tookMs,
        });
        emitStep(telemetry, kept.consequences.step);
        return { kind: 'accepted', id: kept.id };
      }
      case 'duplicate':
        telemetry.emit({ kind: 'message-duplicate', id: kept.id, channel });
        return kept;
      case 'refused':
      case 'refused-again': {
        const { id, error } = kept;
        telemetry.emit({
          kind: 'message-refused',
          id,
          channel,
          type,
          hospital,
          error: error.code,
          detail: error.message,
        });
        return { kind: 'refused', id, error };
      }
    }
  }
}

/** What a message says to its booking; null when its type is none that bookings are told. */
export function saidBy(desk: Desk, type: string, reading: PartialReading): Said | null {
  const kind: BookingInput['kind'] | null = desk.kindOf(type);
  return kind === null ? null : { kind, type, learnt: reading.learnt ?? {}, asked: null };
}

function searchOf({ booking, search = [] }: PartialReading | Reading, id: string): Known['search'] {
  return [
    ...(booking === undefined || booking === null
      ? []
      : [{ name: 'booking', value: booking, private: false }]),
    { name: 'id', value: id, private: false },
    ...search,
  ];
}
