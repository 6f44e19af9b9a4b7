import { join } from 'node:path';
import { type Appointment, Calendar, type Decision, type Slot, type Wish } from './calendar.ts';
import { decodeEntry, encodeEntry, type JournalLine, type LogEntry, type Operation } from './journal.ts';
import { AppendLog } from './log.ts';

/** What a request asks for, whatever the protocol it came by. */
export type Ask =
  | { readonly operation: 'book'; readonly wish: Wish }
  | {
      readonly operation: 'move';
      readonly hospitalRef: string;
      readonly slot: Slot;
      /** The external reference, where the protocol carries it beside the hospital's own. */
      readonly reference?: string;
    }
  | { readonly operation: 'cancel'; readonly hospitalRef: string; readonly reference?: string }
  | { readonly operation: 'read'; readonly hospitalRef: string }
  | {
      readonly operation: 'find';
      readonly reference: string;
      readonly sought: 'Book' | 'Move' | 'Cancel';
      readonly start: string | null;
    }
  | { readonly operation: 'unreadable'; readonly message: string };

/** One request as it was read: the key, the digest of its bytes, and what it asks for. */
export interface Request {
  readonly key: string | null;
  readonly digest: string;
  readonly ask: Ask;
}

export type Result =
  | Decision
  | { readonly kind: 'appointment'; readonly appointment: Appointment }
  | { readonly kind: 'found'; readonly found: boolean; readonly appointment: Appointment | null }
  | { readonly kind: 'key-reused' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

/** How a request is served otherwise than it deserves. */
export interface Interference {
  /** The result said instead of deciding; nothing happens then. */
  readonly instead?: (request: Request) => Result;
  readonly misbehaviour?: string;
}

export interface HospitalOptions {
  readonly name: string;
  readonly folder: string;
  /** The letters before its own numbers. */
  readonly prefix: string;
  /** Whether a key seen before is answered as the first time, without a second effect. */
  readonly recognizesRepeats: boolean;
}

interface Stored {
  readonly digest: string;
  readonly result: Result;
  readonly seq: number;
}

/**
 * A hospital: its calendar, its journal, and the file both come back from. A request is decided, written into the
 * book and put in line for the disk in one step, so the order of the journal is the order of the effects;
 * `durable` resolves when it is on disk, and nobody may be answered before.
 */
export class Hospital {
  readonly #options: HospitalOptions;
  readonly #log: AppendLog;
  #calendar: Calendar;
  #lines: JournalLine[] = [];
  #stored = new Map<string, Stored>();
  #seq = 0;

  private constructor(options: HospitalOptions, log: AppendLog) {
    this.#options = options;
    this.#log = log;
    this.#calendar = new Calendar(options.prefix);
  }

  static async open(options: HospitalOptions): Promise<Hospital> {
    const { log, lines } = await AppendLog.open(join(options.folder, `${options.name}.jsonl`));
    const hospital = new Hospital(options, log);
    for (const line of lines) hospital.#restore(decodeEntry(line));
    return hospital;
  }

  /** Decides, has the effect, and journals `answer(result)` as what is about to be said. */
  serve(request: Request, answer: (result: Result) => string, interference: Interference = {}) {
    const seq = this.#seq + 1;
    const known = this.#knownAnswer(request);
    const instead = interference.instead?.(request);
    // A stored answer wins over a lie: only "not now" may stand before it.
    const lies = instead !== undefined && (known === undefined || instead.kind === 'busy');
    const result = lies
      ? instead
      : known === undefined
        ? this.#decide(request.ask, seq)
        : repeated(request, known);
    const fresh = known === undefined && !lies;
    const repeats = known !== undefined && !lies && result.kind !== 'key-reused';
    const interfered = interference.instead === undefined || lies;
    const line: JournalLine = {
      ...this.#head(request, result, seq),
      ...(fresh ? effectOf(result) : { effect: 'none' as const }),
      ...(repeats ? { repeatOf: known.seq } : {}),
      answer: answer(result),
      ...(interfered && interference.misbehaviour !== undefined
        ? { misbehaviour: interference.misbehaviour }
        : {}),
    };
    const after = result.kind === 'effect' && fresh ? { after: result.after } : {};
    const stored =
      known === undefined && this.#keeps(request, result)
        ? { stored: { digest: request.digest, result } }
        : {};
    return { result, line, durable: this.#record({ line, ...after, ...stored }) };
  }

  /** Journals a request that gets neither effect nor answer. */
  notice(request: Request, answer: string, misbehaviour: string): Promise<void> {
    const seq = this.#seq + 1;
    const head = this.#head(request, null, seq);
    return this.#record({ line: { ...head, effect: 'none', answer, misbehaviour } });
  }

  /** The external reference a request is about, as far as it can be told. */
  referenceOf(ask: Ask): string | null {
    if (ask.operation === 'book') return ask.wish.reference;
    if (ask.operation === 'find') return ask.reference;
    if (ask.operation === 'unreadable') return null;
    const carried = ask.operation === 'read' ? undefined : ask.reference;
    return this.#calendar.get(ask.hospitalRef)?.reference ?? carried ?? null;
  }

  alternatives(ask: Ask): readonly string[] {
    if (ask.operation === 'book') return this.#calendar.alternatives(ask.wish.doctor, ask.wish);
    if (ask.operation !== 'move') return [];
    return this.#calendar.alternatives(this.#calendar.get(ask.hospitalRef)?.doctor ?? '', ask.slot);
  }

  /** An appointment other than the one asked about, to answer with by mistake. */
  anotherThan(reference: string | null): Appointment | undefined {
    return this.#calendar.all().findLast((appointment) => appointment.reference !== reference);
  }

  /** What has happened after a line, once it is on disk. */
  async journal(since = 0): Promise<readonly JournalLine[]> {
    const lines = this.#lines.filter((line) => line.seq > since);
    await this.#log.flush();
    return lines;
  }

  async appointments(): Promise<readonly Appointment[]> {
    const appointments = this.#calendar.all();
    await this.#log.flush();
    return appointments;
  }

  counts() {
    const appointments = this.#calendar.all();
    return {
      requests: this.#lines.length,
      lastSeq: this.#seq,
      appointments: appointments.length,
      active: appointments.filter(({ status }) => status === 'booked').length,
      duplicateEffects: this.#lines.filter((line) => line.duplicateEffect === true).length,
    };
  }

  /** Empties calendar and journal. Both series of numbers go on, so an old reference never means a new appointment. */
  async reset(): Promise<void> {
    const series = { seq: this.#seq, number: this.#calendar.lastNumber };
    this.#restore({ series });
    await this.#log.replace([encodeEntry({ series })]);
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  #record(entry: Extract<LogEntry, { line: JournalLine }>): Promise<void> {
    this.#restore(entry);
    return this.#log.append(encodeEntry(entry));
  }

  #restore(entry: LogEntry): void {
    if ('series' in entry) {
      this.#calendar = new Calendar(this.#options.prefix, entry.series.number);
      this.#lines = [];
      this.#stored = new Map();
      this.#seq = entry.series.seq;
      return;
    }
    const { line, after, stored } = entry;
    this.#seq = line.seq;
    this.#lines.push(line);
    if (after !== undefined) this.#calendar.put(after);
    if (stored !== undefined && line.key !== null) this.#stored.set(line.key, { ...stored, seq: line.seq });
  }

  #knownAnswer(request: Request): Stored | undefined {
    if (!this.#options.recognizesRepeats || request.key === null) return undefined;
    return this.#stored.get(request.key);
  }

  /** Decisions are kept under their key. A malformed request and a "not now" decided nothing. */
  #keeps({ key, ask }: Request, { kind }: Result): boolean {
    if (!this.#options.recognizesRepeats || key === null) return false;
    if (ask.operation === 'read' || ask.operation === 'find') return false;
    return kind === 'effect' || kind === 'slot-taken' || kind === 'unknown';
  }

  #decide(ask: Ask, seq: number): Result {
    switch (ask.operation) {
      case 'book':
        return this.#calendar.book(ask.wish, seq);
      case 'move':
        return this.#calendar.move(ask.hospitalRef, ask.slot, seq);
      case 'cancel':
        return this.#calendar.cancel(ask.hospitalRef, seq);
      case 'read': {
        const appointment = this.#calendar.get(ask.hospitalRef);
        return appointment === undefined ? { kind: 'unknown' } : { kind: 'appointment', appointment };
      }
      case 'find':
        return this.#find(ask);
      case 'unreadable':
        return { kind: 'invalid', message: ask.message };
    }
  }

  #find(ask: Extract<Ask, { operation: 'find' }>): Result {
    const all = this.#calendar.of(ask.reference);
    if (ask.sought === 'Cancel') {
      const cancelled = !all.some(({ status }) => status === 'booked');
      return { kind: 'found', found: cancelled, appointment: cancelled ? (all.at(-1) ?? null) : null };
    }
    if (ask.start === null) return { kind: 'invalid', message: 'Start is missing' };
    const active = this.#calendar.activeAt(ask.reference, ask.start);
    return { kind: 'found', found: active !== undefined, appointment: active ?? null };
  }

  #head(request: Request, result: Result | null, seq: number) {
    const { ask, key } = request;
    const operation: Operation = ask.operation;
    const about = this.#about(ask, result);
    const slot = ask.operation === 'book' ? ask.wish : ask.operation === 'move' ? ask.slot : about;
    return {
      seq,
      at: new Date().toISOString(),
      key,
      operation,
      reference: about?.reference ?? this.referenceOf(ask),
      hospitalRef: about?.hospitalRef ?? ('hospitalRef' in ask ? ask.hospitalRef : null),
      start: slot?.start ?? null,
      doctor: ask.operation === 'book' ? ask.wish.doctor : (about?.doctor ?? null),
    };
  }

  #about(ask: Ask, result: Result | null): Appointment | null {
    if (result?.kind === 'effect') return result.after;
    if (result?.kind === 'appointment' || result?.kind === 'found') return result.appointment;
    return 'hospitalRef' in ask ? (this.#calendar.get(ask.hospitalRef) ?? null) : null;
  }
}

function repeated(request: Request, known: Stored): Result {
  return known.digest === request.digest ? known.result : { kind: 'key-reused' };
}

function effectOf(result: Result) {
  if (result.kind !== 'effect') return { effect: 'none' as const };
  if (result.repeatOf === null) return { effect: result.effect };
  return { effect: result.effect, repeatOf: result.repeatOf, duplicateEffect: true as const };
}
