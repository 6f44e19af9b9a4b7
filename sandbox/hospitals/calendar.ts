/** The patient of an appointment, as the hospital was told. Text stays text: leading zeros and `+` survive. */
export interface Patient {
  readonly id: string;
  readonly name: string;
  readonly birthDate: string | null;
  readonly phone: string | null;
}

/** One appointment in the book of the hospital. */
export interface Appointment {
  readonly hospitalRef: string;
  /** The external reference: the other side's name for the booking. */
  readonly reference: string;
  readonly doctor: string;
  readonly start: string;
  readonly end: string;
  readonly status: 'booked' | 'cancelled';
  readonly patient: Patient;
  readonly note: string | null;
  /** The journal number of the request that made it so. */
  readonly since: number;
}

export type Effect = 'booked' | 'moved' | 'cancelled';

/** What the hospital decides on a request. Only `effect` changes the calendar, by `put`. */
export type Decision =
  | {
      readonly kind: 'effect';
      readonly effect: Effect;
      readonly after: Appointment;
      /** The request whose effect was in place already: this one is a second one. */
      readonly repeatOf: number | null;
    }
  | { readonly kind: 'slot-taken'; readonly alternatives: readonly string[] }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'invalid'; readonly message: string };

export interface Slot {
  readonly start: string;
  readonly end: string;
}

export interface Wish extends Slot {
  readonly reference: string;
  readonly doctor: string;
  readonly patient: Patient;
  readonly note: string | null;
}

const ALTERNATIVES = 3;
const SEARCHED_SLOTS = 200;

/**
 * The rules of the book: a slot (doctor and start) holds one active appointment, except that the same
 * external reference may be booked there again, which is how a repeat becomes visible as a second effect.
 * Deciding changes nothing; `put` does. Two starts are the same when they are the same instant.
 */
export class Calendar {
  readonly #byRef = new Map<string, Appointment>();
  readonly #byReference = new Map<string, Set<string>>();
  readonly #bySlot = new Map<string, Set<string>>();
  readonly #prefix: string;
  #number: number;

  constructor(prefix: string, lastNumber = 0) {
    this.#prefix = prefix;
    this.#number = lastNumber;
  }

  /** The last number given out: the series goes on after a reset, so no reference ever means two appointments. */
  get lastNumber(): number {
    return this.#number;
  }

  get(hospitalRef: string): Appointment | undefined {
    return this.#byRef.get(hospitalRef);
  }

  all(): readonly Appointment[] {
    return [...this.#byRef.values()];
  }

  of(reference: string): readonly Appointment[] {
    return [...(this.#byReference.get(reference) ?? [])].flatMap((ref) => this.#byRef.get(ref) ?? []);
  }

  book(wish: Wish, seq: number): Decision {
    const fault = faultOf(wish);
    if (fault !== null) return { kind: 'invalid', message: fault };
    if (this.#takenByAnother(wish.doctor, wish.start, wish.reference)) return this.#taken(wish.doctor, wish);
    const active = this.of(wish.reference).find((other) => other.status === 'booked');
    const hospitalRef = `${this.#prefix}-${String(this.#number + 1).padStart(6, '0')}`;
    const after: Appointment = { ...wish, hospitalRef, status: 'booked', since: seq };
    return { kind: 'effect', effect: 'booked', after, repeatOf: active?.since ?? null };
  }

  move(hospitalRef: string, slot: Slot, seq: number): Decision {
    const before = this.#byRef.get(hospitalRef);
    if (before?.status !== 'booked') return { kind: 'unknown' };
    const fault = slotFault(slot);
    if (fault !== null) return { kind: 'invalid', message: fault };
    if (this.#takenByAnother(before.doctor, slot.start, before.reference))
      return this.#taken(before.doctor, slot);
    const after: Appointment = { ...before, start: slot.start, end: slot.end, since: seq };
    const already = Date.parse(before.start) === Date.parse(slot.start);
    return { kind: 'effect', effect: 'moved', after, repeatOf: already ? before.since : null };
  }

  cancel(hospitalRef: string, seq: number): Decision {
    const before = this.#byRef.get(hospitalRef);
    if (before === undefined) return { kind: 'unknown' };
    const already = before.status === 'cancelled';
    const after: Appointment = { ...before, status: 'cancelled', since: seq };
    return { kind: 'effect', effect: 'cancelled', after, repeatOf: already ? before.since : null };
  }

  /** The active appointment of an external reference at a start. */
  activeAt(reference: string, start: string): Appointment | undefined {
    const at = Date.parse(start);
    return this.of(reference).find((other) => other.status === 'booked' && Date.parse(other.start) === at);
  }

  alternatives(doctor: string, slot: Slot): readonly string[] {
    const first = Date.parse(slot.start);
    const length = Date.parse(slot.end) - first;
    const free: string[] = [];
    for (let step = 1; free.length < ALTERNATIVES && step <= SEARCHED_SLOTS; step += 1) {
      const start = inZoneOf(slot.start, first + step * length);
      if ((this.#bySlot.get(slotKey(doctor, start))?.size ?? 0) === 0) free.push(start);
    }
    return free;
  }

  /** Writes an appointment into the book as it is after an effect; frees what it held before. */
  put(after: Appointment): void {
    const before = this.#byRef.get(after.hospitalRef);
    if (before?.status === 'booked')
      this.#bySlot.get(slotKey(before.doctor, before.start))?.delete(before.hospitalRef);
    this.#byRef.set(after.hospitalRef, after);
    add(this.#byReference, after.reference, after.hospitalRef);
    if (after.status === 'booked') add(this.#bySlot, slotKey(after.doctor, after.start), after.hospitalRef);
    this.#number = Math.max(this.#number, Number(after.hospitalRef.slice(this.#prefix.length + 1)));
  }

  #takenByAnother(doctor: string, start: string, reference: string): boolean {
    const holders = this.#bySlot.get(slotKey(doctor, start)) ?? [];
    return [...holders].some((ref) => this.#byRef.get(ref)?.reference !== reference);
  }

  #taken(doctor: string, slot: Slot): Decision {
    return { kind: 'slot-taken', alternatives: this.alternatives(doctor, slot) };
  }
}

function slotKey(doctor: string, start: string): string {
  return `${Date.parse(start)} ${doctor}`;
}

function add(index: Map<string, Set<string>>, key: string, value: string): void {
  const values = index.get(key);
  if (values === undefined) index.set(key, new Set([value]));
  else values.add(value);
}

function faultOf(wish: Wish): string | null {
  if (wish.reference === '') return 'the external reference is missing';
  if (wish.doctor === '') return 'the doctor is missing';
  if (wish.patient.id === '') return 'the id of the patient is missing';
  if (wish.patient.name === '') return 'the name of the patient is missing';
  return slotFault(wish);
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

function slotFault(slot: Slot): string | null {
  for (const name of ['start', 'end'] as const)
    if (!INSTANT.test(slot[name]) || Number.isNaN(Date.parse(slot[name])))
      return `the ${name} is not a date and time with an offset`;
  return Date.parse(slot.end) > Date.parse(slot.start) ? null : 'the end is not after the start';
}

/** An instant written with the offset of another one: a hospital answers in the zone it was asked in. */
function inZoneOf(sample: string, at: number): string {
  const offset = /(Z|[+-]\d{2}:\d{2})$/.exec(sample)?.[0] ?? 'Z';
  if (offset === 'Z') return `${new Date(at).toISOString().slice(0, 19)}Z`;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4));
  const shifted = at + (offset.startsWith('-') ? -minutes : minutes) * 60_000;
  return `${new Date(shifted).toISOString().slice(0, 19)}${offset}`;
}
