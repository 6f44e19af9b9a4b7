import type { Operation } from './journal.ts';

/** Every way a hospital can be told to misbehave, and what it does then. */
export const MODES = {
  down: 'does not listen: connections are refused, open ones are cut',
  silent: 'takes the request, does nothing and never answers',
  'silent-after': 'has the effect and never answers',
  slow: 'waits delayMs before it does anything',
  'reset-before': 'resets the connection before the effect',
  'reset-after': 'has the effect, then resets the connection',
  'late-answer': 'has the effect at once and answers after delayMs',
  'other-answer': 'has the effect and answers for another message',
  garbage: 'has the effect and answers what cannot be read',
  'two-answers': 'has the effect and answers twice on the same connection',
  'empty-answer': 'has the effect and answers with a status and no body',
  decline: 'says the slot is taken, without a reason',
  wrong: 'says the request is invalid, without a reason',
  'rate-limit': 'says not now (retryAfterSeconds), without an effect',
  'fault-200': 'says SOAP faults with HTTP 200',
} as const;
export type Mode = keyof typeof MODES;

/** One way to misbehave, how often, for how long and towards whom. */
export interface Misbehaviour {
  readonly mode: Mode;
  /** The share of requests it happens to, 0 to 1; `down` happens to all. */
  readonly rate: number;
  /** How long it goes on; until `heal` when left out. */
  readonly forMs?: number;
  /** How many requests it happens to; all when left out. */
  readonly times?: number;
  /** For `slow` and `late-answer`. */
  readonly delayMs: number;
  /** For `rate-limit`. */
  readonly retryAfterSeconds: number;
  /** The operations it happens to; all when left out. */
  readonly operations?: readonly Operation[];
  /** The external references it happens to; all when left out. */
  readonly references?: readonly string[];
  /** The same seed and the same requests in the same order meet the same fate. */
  readonly seed: number;
}

export type MisbehaviourOptions = Partial<Omit<Misbehaviour, 'mode'>>;

/** What happens to one request. Slowness and the status of faults go together with any other mode. */
export interface Fate {
  readonly mode: Exclude<Mode, 'slow' | 'fault-200' | 'down'> | null;
  readonly delayMs: number;
  readonly answerAfterMs: number;
  readonly retryAfterSeconds: number;
  readonly faultsWith200: boolean;
  /** The names of what was chosen, as the journal says them. */
  readonly names: readonly string[];
}

interface Active {
  readonly what: Misbehaviour;
  readonly random: () => number;
  readonly timer: NodeJS.Timeout | null;
  hits: number;
}

/** The misbehaviours that are on. `changed` is called after one begins or ends, and never rejects. */
export class Misbehaviours {
  #active: Active[] = [];
  readonly #changed: () => Promise<void>;

  constructor(changed: () => Promise<void>) {
    this.#changed = changed;
  }

  get isDown(): boolean {
    return this.#active.some(({ what }) => what.mode === 'down');
  }

  list(): readonly (Misbehaviour & { hits: number })[] {
    return this.#active.map(({ what, hits }) => ({ ...what, hits }));
  }

  /** Adds one; one of the same mode that is on already ends. Resolves once it is in force. */
  start(what: Misbehaviour): Promise<void> {
    this.#end(this.#active.filter((other) => other.what.mode === what.mode));
    const active: Active = { what, random: generator(what.seed), timer: this.#timerOf(what), hits: 0 };
    this.#active = [...this.#active, active];
    return this.#changed();
  }

  /** Ends all of them. Resolves once the hospital is as it was. */
  heal(): Promise<void> {
    this.#end(this.#active);
    return this.#changed();
  }

  /** Chooses for one request: of those that would answer in its place, the first that hits. */
  choose(operation: Operation, reference: string | null): Fate {
    const hits = this.#active.filter((active) => this.#hits(active, operation, reference));
    const slow = hits.find(({ what }) => what.mode === 'slow');
    const faults = hits.find(({ what }) => what.mode === 'fault-200');
    const main = hits.find(({ what }) => what.mode !== 'slow' && what.mode !== 'fault-200');
    const chosen = [slow, faults, main].filter((active) => active !== undefined);
    for (const active of chosen) this.#count(active);
    return {
      mode: (main?.what.mode ?? null) as Fate['mode'],
      delayMs: slow?.what.delayMs ?? 0,
      answerAfterMs: main?.what.mode === 'late-answer' ? main.what.delayMs : 0,
      retryAfterSeconds: main?.what.retryAfterSeconds ?? 0,
      faultsWith200: faults !== undefined,
      names: chosen.map(({ what }) => what.mode),
    };
  }

  #hits({ what, random }: Active, operation: Operation, reference: string | null): boolean {
    if (what.mode === 'down') return false;
    if (what.operations !== undefined && !what.operations.includes(operation)) return false;
    if (what.references !== undefined && !what.references.includes(reference ?? '')) return false;
    return random() < what.rate;
  }

  #count(active: Active): void {
    active.hits += 1;
    if (active.what.times === undefined || active.hits < active.what.times) return;
    this.#end([active]);
    void this.#changed();
  }

  #timerOf(what: Misbehaviour): NodeJS.Timeout | null {
    if (what.forMs === undefined) return null;
    return setTimeout(() => {
      this.#end(this.#active.filter((active) => active.what === what));
      void this.#changed();
    }, what.forMs);
  }

  #end(ended: readonly Active[]): void {
    for (const { timer } of ended) if (timer !== null) clearTimeout(timer);
    this.#active = this.#active.filter((active) => !ended.includes(active));
  }
}

/** Reads what a caller asked for; the answer is a problem in words when it makes no sense. */
export function readMisbehaviour(input: unknown, seed: number): Misbehaviour | string {
  if (typeof input !== 'object' || input === null) return 'the body is not a JSON object';
  const given = input as Record<string, unknown>;
  if (typeof given['mode'] !== 'string' || !Object.hasOwn(MODES, given['mode']))
    return `mode is not one of ${Object.keys(MODES).join(', ')}`;
  for (const name of ['rate', 'forMs', 'times', 'delayMs', 'retryAfterSeconds', 'seed']) {
    const value = given[name];
    if (value !== undefined && !(typeof value === 'number' && Number.isFinite(value) && value >= 0))
      return `${name} is not a number from 0 up`;
  }
  for (const name of ['operations', 'references'])
    if (given[name] !== undefined && !isTextList(given[name])) return `${name} is not a list of texts`;
  const misbehaviour = { rate: 1, delayMs: 10_000, retryAfterSeconds: 1, seed, ...given } as Misbehaviour;
  if (misbehaviour.rate > 1) return 'rate is a share from 0 to 1';
  if (misbehaviour.mode === 'down' && misbehaviour.rate !== 1) return 'down happens to all: it takes no rate';
  return misbehaviour;
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** The mulberry32 generator: small, seeded, good enough to spread faults. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
