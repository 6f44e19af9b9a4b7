import {
  allows,
  type BreakerState,
  CLOSED,
  closed,
  halfOpen,
  mayTry,
  NO_STREAK,
  opened,
  opens,
  type Streak,
  streakAfter,
  untried,
} from './breaker.ts';
import type { Clock } from './clock.ts';
import type { Outcome } from './delivery.ts';
import { BridgeError, type ErrorCode, type Fault } from './errors.ts';
import type { ChannelName } from './message.ts';
import type { Random } from './random.ts';
import type { Store } from './store.ts';
import type { Telemetry } from './telemetry.ts';

export interface GateParts {
  readonly name: ChannelName;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Called when the width may have grown. */
  readonly opened: () => void;
  /** Sends one delivery to see whether the channel is back; false when there was none to send, or no slot. */
  readonly trial: () => Promise<boolean>;
}

/** One send as the gate saw it begin. */
export interface Sent {
  /** It was to show whether the channel is back. */
  readonly trial: boolean;
  /** The generation of the breaker at its beginning. */
  readonly generation: number;
}

/**
 * How wide an outbound channel stands open for this instance. The breaker, shared through the store,
 * shuts it when the far side is silent; one delivery at a time tries it again; after that a ramp widens
 * it with every answer, so that a hospital which has just come back is not flooded.
 */
export class Gate {
  readonly #parts: GateParts;
  /** Null until the database was asked: until then nothing may be sent. */
  #seen: BreakerState | null = null;
  #streak: Streak = NO_STREAK;
  #ramp = Number.POSITIVE_INFINITY;
  /** A trial that began later could still be on its way when another may begin. By the monotonic clock. */
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #moving: Promise<void> | null = null;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** How many sends the channel bears now; none while the breaker is not closed or a person paused it. */
  get width(): number {
    return this.#seen !== null && allows(this.#seen, this.#parts.clock.now()) ? this.#ramp : 0;
  }

  /** The breaker as it was last seen. */
  get breaker(): BreakerState {
    return this.#seen ?? CLOSED;
  }

  /** Takes the breaker as the database has it. An older generation changes nothing. */
  follow(state: BreakerState): void {
    const before = this.#seen;
    if (before !== null && state.generation < before.generation) return;
    this.#seen = state;
    if (before !== null && state.generation > before.generation) {
      this.#streak = NO_STREAK;
      if (state.state === 'closed') this.#ramp = 1;
      this.#say(before, state);
    }
    if (this.width > 0) this.#parts.opened();
  }

  /**
   * Learns from the outcome of a send that began at `generation`: an answer of any kind shows that the channel is
   * there, silence does not. Of a time before the breaker last moved it says nothing any more: sends that were lost
   * before a hospital came back must not shut it again, nor a trial that was given up decide over the one after it.
   */
  observe(outcome: Outcome, { trial, generation }: Sent): void {
    if (generation < this.breaker.generation) return;
    const fault = silenceOf(outcome);
    const silent = fault === 'unavailable' || fault === 'ambiguous';
    this.#streak = streakAfter(this.#streak, fault);
    if (trial) this.#move(silent ? this.#opened(outcome) : closed(this.breaker));
    else if (!silent) this.#ramp *= 2;
    else if (this.breaker.state === 'closed' && opens(this.#streak)) this.#move(this.#opened(outcome));
  }

  /** Begins a trial when the breaker's pause is over. The generation lets one instance alone do it. */
  tryAgain(deadlineMs: number): void {
    const { clock } = this.#parts;
    if (this.#moving !== null || !mayTry(this.breaker, clock.now())) return;
    this.#lastStartMs = clock.monotonicMs() + deadlineMs;
    this.#move(halfOpen(this.breaker, clock.now(), 2 * deadlineMs), () => this.#try());
  }

  /** Goes on with a trial whose delivery never reached the channel. */
  tryAnother(): void {
    if (this.breaker.state !== 'half-open') return;
    this.#moving ??= this.#try().finally(() => {
      this.#moving = null;
    });
  }

  /** Resolves when no move is under way. */
  async idle(): Promise<void> {
    await this.#moving;
  }

  /**
   * Nothing to try it with proves nothing: it stays open, and the next arrival is the trial. Where the word that
   * it may be tried came late, it is left to whoever tries it next.
   */
  async #try(): Promise<void> {
    const { clock, random, trial, telemetry, name } = this.#parts;
    if (clock.monotonicMs() > this.#lastStartMs) return;
    if (await trial())
      telemetry.emit({ kind: 'breaker-moved', channel: name, to: 'half-open', reason: this.breaker.reason });
    else await this.#moveNow(untried(this.breaker, clock.now(), random.fraction()));
  }

  /** A trial is said when it sends something; one that had nothing to send is no news. */
  #say(before: BreakerState, { state, openings, reason }: BreakerState): void {
    if (state === 'half-open') return;
    if (state === 'open' && before.state === 'half-open' && openings === before.openings) return;
    this.#parts.telemetry.emit({ kind: 'breaker-moved', channel: this.#parts.name, to: state, reason });
  }

  #opened(outcome: Outcome): BreakerState {
    const { clock, random } = this.#parts;
    return opened(this.breaker, codeOf(outcome), clock.now(), random.fraction());
  }

  #move(to: BreakerState, then?: () => Promise<void>): void {
    if (this.#moving !== null) return;
    this.#moving = this.#moveNow(to)
      .then((moved) => (moved ? then?.() : undefined))
      .finally(() => {
        this.#moving = null;
      });
  }

  async #moveNow(to: BreakerState): Promise<boolean> {
    const { store, telemetry, name } = this.#parts;
    try {
      const { moved, state } = await store.moveBreaker(name, this.breaker.generation, to);
      this.follow(state);
      return moved;
    } catch (thrown) {
      const error = BridgeError.from(thrown, 'store-mismatch', name);
      // A lost store is the beat's to report; the streak goes on and moves the breaker when it is back.
      if (error.code !== 'store-unavailable')
        telemetry.emit({ kind: 'defect', where: `breaker of ${name}`, detail: error.message });
      return false;
    }
  }
}

/** The fault of an outcome, as far as it says that nobody answers: a probe that could not tell was answered. */
function silenceOf(outcome: Outcome): Fault | null {
  if (outcome.kind !== 'failed' || outcome.error.code === 'probe-inconclusive') return null;
  return outcome.error.fault;
}

function codeOf(outcome: Outcome): ErrorCode {
  return outcome.kind === 'failed' ? outcome.error.code : 'connection-failed';
}
