import type { Answer, Parcel } from '../../engine/channel.ts';
import type { Repeats } from '../../engine/delivery.ts';
import { BridgeError, type ErrorCode } from '../../engine/errors.ts';
import { type Appointment, Calendar, type Decision } from '../../sandbox/hospitals/calendar.ts';
import type { JournalLine, Operation } from '../../sandbox/hospitals/journal.ts';
import type { Dice } from './dice.ts';
import { DEADLINE_MS } from './plans.ts';
import type { Happening, Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';
import type { Weather } from './weather.ts';

/** A line of the journal; its answer becomes what was heard of it. */
type Line = { -readonly [Field in keyof JournalLine]: JournalLine[Field] };

/** What a parcel asks for. */
export interface Request {
  readonly key: string;
  readonly operation: Extract<Operation, 'book' | 'move' | 'cancel' | 'find'>;
  readonly fields: Readonly<Record<string, string>>;
}

/** Says something so long after it was asked; `heard` is called when the asker still waited for it. */
export type Reply = (afterMs: number, what: Answer | BridgeError, heard?: () => void) => void;

/** What a hospital says to what it has understood. */
interface Word {
  readonly signals: readonly string[];
  readonly body: object;
  /** As the journal has it. */
  readonly text: string;
}

interface HospitalParts {
  readonly timeline: Timeline;
  readonly weather: Weather;
  readonly dice: Dice;
  readonly trace: Trace;
}

const ANSWERS_MS = [1, 60] as const;
const SLOWLY_MS = [DEADLINE_MS / 3, DEADLINE_MS + 200] as const;
/** How long after it was asked a hospital may still do what nobody waits for any more. */
const LATE_MS = [DEADLINE_MS, 5_000] as const;
/** How long something that was just done may not be found. With the above, less than a probe is given. */
const UNFOUND_MS = 5_000;
const AGAIN_IN_MS = [1_000, 6_000] as const;

/** A hospital: its calendar with finite slots, its journal, and its bad days. */
export class SimHospital {
  readonly name: string;
  readonly journal: Line[] = [];
  readonly #repeats: Repeats;
  readonly #parts: HospitalParts;
  readonly #calendar: Calendar;
  readonly #stored = new Map<string, { readonly word: Word; readonly seq: number }>();
  readonly #late = new Set<Happening & { readonly serve: () => void }>();
  readonly #doneAt = new Map<string, number>();

  constructor(name: string, repeats: Repeats, parts: HospitalParts) {
    this.name = name;
    this.#repeats = repeats;
    this.#parts = parts;
    this.#calendar = new Calendar(name.slice(0, 2).toUpperCase());
  }

  read({ key, body }: Parcel): Request {
    const fields = JSON.parse(Buffer.from(body).toString('utf8')) as Record<string, string>;
    return { key, operation: fields['operation'] as Request['operation'], fields };
  }

  /** One request arrives. What becomes of it is a matter of the day. */
  receives(request: Request, reply: Reply): void {
    if (request.operation === 'find') this.#find(request, reply);
    else this.#asked(request, reply);
  }

  #asked(request: Request, reply: Reply): void {
    const { weather, dice } = this.#parts;
    const strikes = (spell: Parameters<Weather['strikes']>[0]) => weather.strikes(spell, this.name);
    const says = (text: string, answer: Answer) => {
      const line = this.notice(request, 'silent');
      reply(dice.between(ANSWERS_MS), answer, () => {
        line.answer = text;
      });
    };
    if (strikes('silent before')) this.notice(request, 'silent');
    else if (strikes('busy')) says('429', answerOf(['429'], {}));
    else if (strikes('busy for a while'))
      says('429', { ...answerOf(['429'], {}), retryAfterMs: dice.between(AGAIN_IN_MS) });
    else if (strikes('failed before')) says('500', answerOf(['500'], {}, 'server-failed'));
    else if (strikes('says wrong')) says('422', answerOf(['422'], {}));
    else if (strikes('late')) this.#serveLater(request, reply);
    else this.#serve(request, reply);
  }

  /** Journals a request that had no effect. */
  notice({ key, operation, fields }: Request, answer: string, about: Appointment | null = null): Line {
    const line: Line = {
      seq: this.journal.length + 1,
      at: '',
      key,
      operation,
      reference: about?.reference ?? fields['reference'] ?? this.#referenceOf(fields['hospitalRef']),
      hospitalRef: about?.hospitalRef ?? fields['hospitalRef'] ?? null,
      effect: 'none',
      answer,
      start: fields['start'] ?? about?.start ?? null,
      doctor: fields['doctor'] ?? about?.doctor ?? null,
    };
    this.journal.push(line);
    return line;
  }

  /** The others were asleep for hours; it was not. */
  othersSlept(): void {
    this.#doneAt.clear();
    for (const late of this.#late) {
      this.#parts.timeline.cancel(late);
      late.serve();
    }
  }

  #serveLater(request: Request, reply: Reply): void {
    const { timeline, dice } = this.#parts;
    const serve = () => {
      this.#late.delete(late);
      this.#serve(request, reply);
    };
    const late = Object.assign(timeline.after(dice.between(LATE_MS), serve), { serve });
    this.#late.add(late);
  }

  #serve(request: Request, reply: Reply): void {
    const { weather, dice, trace } = this.#parts;
    const strikes = (spell: Parameters<Weather['strikes']>[0]) => weather.strikes(spell, this.name);
    const { line, word } = this.#done(request);
    trace.add(this.name, `${request.operation} ${line.reference} ${line.effect} ${word.text}`);
    const says = (ms: number, text: string, what: Answer | BridgeError) =>
      reply(ms, what, () => {
        line.answer = text;
      });
    const soon = dice.between(ANSWERS_MS);
    if (word.text === '409 SLOT_TAKEN') weather.saw('slot taken');
    if (strikes('silent after')) return;
    if (strikes('reset after'))
      says(soon, 'reset', new BridgeError('connection-reset', 'the connection broke'));
    else if (strikes('garbage')) says(soon, 'garbage', answerOf([], {}, 'answer-unreadable'));
    else if (strikes('failed after')) says(soon, '500', answerOf(['500'], {}, 'server-failed'));
    else {
      const ms = strikes('hospital slow') ? dice.between(SLOWLY_MS) : soon;
      says(ms, word.text, answerOf(word.signals, word.body));
    }
  }

  /** Has the effect, unless it is recognized as a repeat, and journals it. Nobody has heard of it yet. */
  #done(request: Request): { readonly line: Line; readonly word: Word } {
    const known = this.#repeats === 'recognized' ? this.#stored.get(request.key) : undefined;
    if (known !== undefined) {
      this.#parts.weather.saw('repeat recognized');
      const line = this.notice(request, 'silent');
      line.repeatOf = known.seq;
      return { line, word: known.word };
    }
    const decision = this.#decide(request, this.journal.length + 1);
    const word = wordOf(decision);
    const about = decision.kind === 'effect' ? decision.after : null;
    const line = this.notice(request, 'silent', about);
    if (decision.kind === 'effect') {
      this.#calendar.put(decision.after);
      this.#doneAt.set(decision.after.reference, this.#parts.timeline.now);
      line.effect = decision.effect;
      if (decision.repeatOf !== null) {
        line.repeatOf = decision.repeatOf;
        line.duplicateEffect = true;
      }
    }
    this.#stored.set(request.key, { word, seq: line.seq });
    return { line, word };
  }

  #decide({ operation, fields }: Request, seq: number): Decision {
    const { hospitalRef = '', start = '', end = '', reference = '', doctor = '' } = fields;
    switch (operation) {
      case 'book': {
        const patient = { id: '0000000001', name: fields['patient'] ?? '', birthDate: null, phone: null };
        return this.#calendar.book({ reference, doctor, start, end, patient, note: null }, seq);
      }
      case 'move':
        return this.#calendar.move(hospitalRef, { start, end }, seq);
      case 'cancel':
        return this.#calendar.cancel(hospitalRef, seq);
      case 'find':
        return { kind: 'unknown' };
    }
  }

  #find(request: Request, reply: Reply): void {
    const { weather, dice, timeline, trace } = this.#parts;
    const { reference = '', sought, start = '' } = request.fields;
    const all = this.#calendar.of(reference);
    const isCancel = sought === 'booking.cancel-requested';
    const active = isCancel ? undefined : this.#calendar.activeAt(reference, start);
    const cancelled = isCancel && !all.some(({ status }) => status === 'booked') ? all.at(-1) : undefined;
    const age = timeline.now - (this.#doneAt.get(reference) ?? Number.NEGATIVE_INFINITY);
    const isUnfound = age < UNFOUND_MS && weather.strikes('finds it late', this.name);
    const found = isUnfound ? undefined : (active ?? cancelled);
    trace.add(this.name, `find ${reference} ${found !== undefined}`);
    weather.saw(found === undefined ? 'a probe says absent' : 'a probe says taken');
    if (weather.strikes('cannot say', this.name)) {
      this.notice(request, 'garbage');
      reply(dice.between(ANSWERS_MS), answerOf([], {}, 'answer-unreadable'));
      return;
    }
    this.notice(request, '200', found ?? null);
    const body = found === undefined ? { found: false } : { found: true, ...saidOf(found) };
    reply(dice.between(ANSWERS_MS), answerOf(['200'], body));
  }

  #referenceOf(hospitalRef: string | undefined): string | null {
    return hospitalRef === undefined ? null : (this.#calendar.get(hospitalRef)?.reference ?? null);
  }
}

function saidOf({ status, hospitalRef, start, end }: Appointment): object {
  return { status: status.toUpperCase(), id: hospitalRef, start, end };
}

function wordOf(decision: Decision): Word {
  switch (decision.kind) {
    case 'effect':
      return { signals: ['200'], body: saidOf(decision.after), text: '200' };
    case 'slot-taken':
      return { signals: ['409/SLOT_TAKEN', '409'], body: { code: 'SLOT_TAKEN' }, text: '409 SLOT_TAKEN' };
    case 'unknown':
      return { signals: ['404'], body: { code: 'UNKNOWN' }, text: '404 UNKNOWN' };
    case 'invalid':
      return { signals: ['422'], body: { code: 'INVALID' }, text: '422 INVALID' };
  }
}

function answerOf(signals: readonly string[], body: object, otherwise: ErrorCode | null = null): Answer {
  return {
    signals,
    otherwise,
    retryAfterMs: null,
    summary: `it answered ${signals[0] ?? 'something'}`,
    body: Buffer.from(JSON.stringify(body)),
  };
}
