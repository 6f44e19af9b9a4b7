import type { Accept } from '../../engine/channel.ts';
import type { Clock } from '../../engine/clock.ts';
import { BridgeError } from '../../engine/errors.ts';
import { systemRandom } from '../../engine/random.ts';
import { Consumption, type End } from './consumption.ts';
import type { Line } from './line.ts';

export interface FeedOptions {
  readonly queue: string;
  readonly prefetch: number;
  /** Stays one by one, and marks what it brings as late. */
  readonly late: boolean;
  readonly accept: Accept;
}

export interface FeedParts {
  readonly line: Line;
  readonly clock: Clock;
  readonly storeReady: (signal: AbortSignal) => Promise<void>;
  /** Throws `topology-differs` when the broker does not have what the feed needs. */
  readonly verify: () => Promise<void>;
  readonly opened: () => void;
  readonly closed: (error: BridgeError) => void;
}

const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 10_000;

/**
 * Keeps one queue consumed: one consumption after another, each on a channel of its own. It begins only after the
 * store took a probe write: to reopen blindly is what sends healthy messages to the dead-letter queue.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #parts: FeedParts;
  readonly #stopping = new AbortController();
  #current: Consumption | null = null;
  #careful = false;
  #failures = 0;

  constructor(options: FeedOptions, parts: FeedParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Consumes until it is stopped. Never rejects: what goes wrong is told to `closed` and tried again. */
  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        this.#next(await this.#consume());
      } catch (thrown) {
        const error = BridgeError.from(thrown, 'broker-unavailable', this.#options.queue);
        this.#parts.closed(error);
        await this.#pause();
      }
    }
  }

  /** Takes nothing more. `run` resolves once what was taken is answered. */
  stop(): void {
    this.#stopping.abort();
    this.#current?.stop();
  }

  async #consume(): Promise<End> {
    const { line, storeReady, verify, opened } = this.#parts;
    const { signal } = this.#stopping;
    await storeReady(signal);
    if (signal.aborted) return { kind: 'stopped' };
    const connection = await line.connection();
    await verify();
    const { queue, prefetch, late, accept } = this.#options;
    const consumption = await Consumption.open(connection, {
      queue,
      prefetch,
      accept,
      late,
      switches: !late,
      careful: late || this.#careful,
    });
    this.#current = consumption;
    if (signal.aborted) consumption.stop();
    else opened();
    const end = await consumption.over;
    this.#current = null;
    if (consumption.progressed) this.#failures = 0;
    return end;
  }

  #next(end: End): void {
    switch (end.kind) {
      case 'stopped':
        return;
      case 'switch':
        this.#careful = end.careful;
        return;
      case 'failed':
        throw end.error;
    }
  }

  /** Full jitter, so that the instances of a broker that came back do not come together. */
  async #pause(): Promise<void> {
    const ceiling = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    await this.#parts.clock.sleep(ceiling * systemRandom.fraction(), this.#stopping.signal);
  }
}
