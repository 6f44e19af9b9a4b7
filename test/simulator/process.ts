import type { Clock } from '../../engine/clock.ts';
import type { Happening, Timeline } from './timeline.ts';

/** How the wall clock of a machine runs: what it is off, in milliseconds. */
export interface Wall {
  readonly epochMs: number;
  offMs: number;
}

/**
 * One process of the engine, as its machine sees it. Whatever the world has for it comes through `hear`: a dead
 * process hears nothing any more, a frozen one hears all of it once it wakes.
 */
export class SimProcess implements Clock {
  readonly name: string;
  readonly #timeline: Timeline;
  readonly #startedAt: number;
  readonly #ends: (() => void)[] = [];
  readonly #timers = new Set<{ happening: Happening; readonly done: () => void }>();
  #sleptMs = 0;
  #diedSilently = false;
  #state: 'running' | 'frozen' | 'dead' = 'running';
  #unheard: (() => void)[] = [];
  /** What the time of day is ahead of the monotonic clock, as `SystemClock` has it. */
  #aheadMs: number;

  constructor(name: string, timeline: Timeline, wall: Wall) {
    this.name = name;
    this.#timeline = timeline;
    this.#startedAt = timeline.now;
    this.#aheadMs = wall.epochMs + timeline.now + wall.offMs;
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isFrozen(): boolean {
    return this.#state === 'frozen';
  }

  /** What the process hears is the only thing that makes it go on. */
  hear(what: () => void): void {
    switch (this.#state) {
      case 'running':
        what();
        return;
      case 'frozen':
        this.#unheard.push(what);
        return;
      case 'dead':
    }
  }

  /** The process hears something a while later, by its own timers. */
  after(ms: number, what: () => void): Happening {
    return this.#timeline.after(ms, () => this.hear(what));
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Nothing of it goes on until it wakes; its clocks do. */
  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  /** Its machine was asleep for so long, and everything with it: the clocks have gone on, and what was waited for is due. */
  sleptFor(ms: number): void {
    this.#sleptMs += ms;
    for (const timer of this.#timers) {
      this.#timeline.cancel(timer.happening);
      timer.happening = this.after(Math.max(0, timer.happening.at - this.#timeline.now - ms), timer.done);
    }
  }

  /** It hears everything it has missed, one after the other. */
  wake(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    for (const what of this.#unheard.splice(0)) this.#timeline.after(0, () => this.hear(what));
  }

  /** Whether nobody heard it go: its machine went with it. */
  get diedSilently(): boolean {
    return this.#diedSilently;
  }

  /** Nothing of it ever goes on. */
  die(silently = false): void {
    if (this.#state === 'dead') return;
    this.#diedSilently = silently;
    this.#state = 'dead';
    this.#unheard = [];
    for (const end of this.#ends.splice(0)) end();
  }

  /** Called once it is dead. */
  onEnd(end: () => void): void {
    this.#ends.push(end);
  }

  now(): Date {
    return new Date(this.monotonicMs() + this.#aheadMs);
  }

  monotonicMs(): number {
    return this.#timeline.now - this.#startedAt + this.#sleptMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        silence();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const silence = this.alarm(ms, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  alarm(ms: number, act: () => void): () => void {
    const done = () => {
      this.#timers.delete(timer);
      act();
    };
    const timer = { happening: this.after(ms, done), done };
    this.#timers.add(timer);
    return () => {
      this.#timeline.cancel(timer.happening);
      this.#timers.delete(timer);
    };
  }

  turn(): Promise<void> {
    return this.pause(0);
  }

  /** As `SystemClock`: takes the database's time as the true one. */
  follow(databaseTime: Date): void {
    this.#aheadMs = databaseTime.getTime() - this.monotonicMs();
  }
}
