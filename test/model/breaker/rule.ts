/** What every gate shares, by the rule. Times in milliseconds since the run began. */
export interface Shared {
  readonly state: 'closed' | 'open' | 'half-open';
  readonly generation: number;
  readonly openings: number;
  readonly probeAt: number | null;
  /** Until when a person paused it; null when nobody did. */
  readonly pausedUntil: number | null;
}

/** One send that has begun, and at which generation. */
export interface Sent {
  readonly gate: number;
  readonly generation: number;
  readonly trial: boolean;
  readonly at: number;
}

export type Fault = 'unavailable' | 'ambiguous' | 'transient' | null;

interface Seen {
  shared: Shared;
  unavailable: number;
  ambiguous: number;
  ramp: number;
}

export const DEADLINE_MS = 5_000;
/** Chance stands still here, in the middle. */
export const FRACTION = 0.5;

const pauseAfter = (openings: number) => Math.min(1_000 * 2 ** openings, 30_000) * (0.5 + FRACTION / 2);

/**
 * Breaker and gates as the agreement says them: three times nobody there or five times no answer in a row open it
 * for all; one delivery tries it again; whoever speaks of an older generation changes nothing.
 */
export class Gates {
  now = 0;
  shared: Shared = { state: 'closed', generation: 0, openings: 0, probeAt: null, pausedUntil: null };
  sent: Sent[] = [];
  readonly seen: readonly Seen[];
  readonly lost = new Set<number>();

  constructor(count: number) {
    const none = { unavailable: 0, ambiguous: 0, ramp: Number.POSITIVE_INFINITY };
    this.seen = Array.from({ length: count }, () => ({ shared: this.shared, ...none }));
  }

  isPaused({ pausedUntil }: Shared): boolean {
    return pausedUntil !== null && pausedUntil > this.now;
  }

  width(gate: number): number {
    const { shared, ramp } = this.seen[gate]!;
    return shared.state === 'closed' && !this.isPaused(shared) ? ramp : 0;
  }

  follow(gate: number): void {
    const seen = this.seen[gate]!;
    if (seen.shared.generation < this.shared.generation) {
      seen.unavailable = 0;
      seen.ambiguous = 0;
      if (this.shared.state === 'closed') seen.ramp = 1;
    }
    seen.shared = this.shared;
  }

  /** Whoever has seen the newest moves it for all; whoever has not only learns of it. */
  #move(gate: number, to: Partial<Shared>): boolean {
    if (this.lost.has(gate)) return false;
    const moves = this.seen[gate]!.shared.generation === this.shared.generation;
    if (moves) this.shared = { ...this.shared, ...to, generation: this.shared.generation + 1 };
    this.follow(gate);
    return moves;
  }

  #open(gate: number, before: number): boolean {
    const probeAt = this.now + pauseAfter(before);
    return this.#move(gate, { state: 'open', openings: before + 1, probeAt });
  }

  end({ gate, generation, trial }: Sent, fault: Fault): void {
    const seen = this.seen[gate]!;
    if (generation < seen.shared.generation) return;
    const silent = fault === 'unavailable' || fault === 'ambiguous';
    if (fault === 'unavailable') seen.unavailable += 1;
    else if (fault === 'ambiguous') seen.ambiguous += 1;
    else Object.assign(seen, { unavailable: 0, ambiguous: 0 });
    const { state, openings } = seen.shared;
    if (trial && silent) this.#open(gate, openings);
    else if (trial) this.#move(gate, { state: 'closed', openings: 0, probeAt: null });
    else if (!silent) seen.ramp *= 2;
    else if (state === 'closed' && (seen.unavailable >= 3 || seen.ambiguous >= 5)) this.#open(gate, openings);
  }

  tryAgain(gate: number, hasWork: boolean): void {
    const { shared } = this.seen[gate]!;
    const { state, probeAt, openings } = shared;
    if (state === 'closed' || this.isPaused(shared) || probeAt === null || probeAt > this.now) return;
    if (!this.#move(gate, { state: 'half-open', probeAt: this.now + 2 * DEADLINE_MS })) return;
    if (hasWork) this.sent.push({ gate, generation: this.shared.generation, trial: true, at: this.now });
    else this.#open(gate, openings - 1);
  }

  pause(until: number | null): void {
    this.shared = { ...this.shared, pausedUntil: until, generation: this.shared.generation + 1 };
  }
}
