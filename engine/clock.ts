/** The only source of time in the engine, so that tests own it. */
export interface Clock {
  /** Wall time, kept on the database's clock by the beat of the instance. Good for columns, not for leases. */
  now(): Date;
  /** Milliseconds that only go forward and go on while the wall clock is set. Good for leases. */
  monotonicMs(): number;
  /** Resolves after `ms`, or as soon as `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Resolves one turn of the event loop later: what one read of a socket brought has been handed over by then. */
  turn(): Promise<void>;
  /** Calls `act` after `ms`, unless what it returns is called before. For deadlines, which hardly ever come to pass. */
  alarm(ms: number, act: () => void): () => void;
}

/** The machine's clock, moved onto the database's by `follow`. */
export class SystemClock implements Clock {
  /**
   * What the time of day is ahead of the monotonic clock. The machine's own time of day is asked once only: somebody
   * may set it between two beats, and an hour's jump would give up deliveries or put off a breaker's trial.
   */
  #aheadMs = Date.now() - performance.now();

  /** Takes the database's time as the true one from now on. */
  follow(databaseTime: Date): void {
    this.#aheadMs = databaseTime.getTime() - performance.now();
  }

  now(): Date {
    return new Date(performance.now() + this.#aheadMs);
  }

  monotonicMs(): number {
    return performance.now();
  }

  alarm(ms: number, act: () => void): () => void {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
