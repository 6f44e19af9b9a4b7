import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../engine/clock.ts';

const TURNS = 5_000;

/** A clock that stands still until the test moves it: time is ours. */
export class ManualClock implements Clock {
  #now: number;
  #monotonicMs = 0;
  #sleeping: { readonly at: number; readonly wake: () => void }[] = [];

  constructor(now = '2026-11-01T08:00:00Z') {
    this.#now = Date.parse(now);
  }

  now(): Date {
    return new Date(this.#now);
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { at: this.#monotonicMs + ms, wake: resolve };
      this.#sleeping.push(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          this.#sleeping = this.#sleeping.filter((other) => other !== sleeper);
          resolve();
        },
        { once: true },
      );
    });
  }

  turn(): Promise<void> {
    return nextTurn();
  }

  alarm(ms: number, act: () => void): () => void {
    const sleeper = { at: this.#monotonicMs + ms, wake: act };
    this.#sleeping.push(sleeper);
    return () => {
      this.#sleeping = this.#sleeping.filter((other) => other !== sleeper);
    };
  }

  /** Lets so much time pass. Whoever sleeps wakes at its own instant, and all that follows from it happens then. */
  async pass(ms: number): Promise<void> {
    const end = this.#monotonicMs + ms;
    await calm();
    for (;;) {
      const [next] = this.#sleeping.toSorted((one, other) => one.at - other.at);
      if (next === undefined || next.at > end) break;
      this.#to(next.at);
      this.#sleeping = this.#sleeping.filter((other) => other !== next);
      next.wake();
      await calm();
    }
    this.#to(end);
    await calm();
  }

  #to(at: number): void {
    this.#now += Math.max(at - this.#monotonicMs, 0);
    this.#monotonicMs = Math.max(at, this.#monotonicMs);
  }
}

/** Lets everything happen that needs no time to pass. */
export async function calm(turns = 25): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
}

/** Resolves once the condition holds, without any time passing; rejects when it never comes to hold. */
export async function comesToHold(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    if (condition()) return;
    await nextTurn();
  }
  throw new RangeError(`it never came to hold: ${condition}`);
}
