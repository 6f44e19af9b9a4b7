import { setTimeout as delay } from 'node:timers/promises';

import type { Log, WatchedServer } from '../servers/server.ts';
import { Pauses } from './pauses.ts';

export interface KeptServerOptions {
  /** What people call it: `PostgreSQL`. */
  readonly name: string;
  readonly server: WatchedServer;
  /** Where what it prints can be read. */
  readonly logFile: string;
  readonly say: Log;
}

/**
 * A PostgreSQL or RabbitMQ that is started again at the same address whenever it ends by itself, with longer pauses while it
 * keeps ending. One that is not ours is left to whoever runs it.
 */
export class KeptServer {
  readonly url: string;
  readonly #options: KeptServerOptions;
  readonly #stopping = new AbortController();
  readonly #watched: Promise<void>;

  constructor(options: KeptServerOptions) {
    this.#options = options;
    this.url = options.server.url;
    this.#watched = this.#watch();
  }

  /** Ends it in order, for good. */
  async stop(): Promise<void> {
    const { server } = this.#options;
    this.#stopping.abort();
    await server.stop();
    await this.#watched;
    // One that was being started again while the first stop looked for it.
    await server.stop();
  }

  async #watch(): Promise<void> {
    const { name, server, say } = this.#options;
    const { signal } = this.#stopping;
    const pauses = new Pauses();
    for (let since = performance.now(); ; since = performance.now()) {
      const how = await server.ended();
      if (how === null || signal.aborted) return;
      const pauseMs = pauses.afterRunOf(performance.now() - since);
      say(`${name} ended by itself (${how}). Starting it again in ${pauseMs / 1000} s.`);
      if (!(await this.#restarted(pauses, pauseMs))) return;
      say(`${name} runs again, at the same address.`);
    }
  }

  /** Tries until it runs. Resolves with false when it is to be stopped instead. */
  async #restarted(pauses: Pauses, firstPauseMs: number): Promise<boolean> {
    const { server } = this.#options;
    const { signal } = this.#stopping;
    for (let pauseMs = firstPauseMs; ; pauseMs = pauses.afterRunOf(0)) {
      // Ended early only by the stop, which is looked at next.
      await delay(pauseMs, null, { signal }).catch(() => null);
      if (signal.aborted) return false;
      try {
        await server.restart();
        return !signal.aborted;
      } catch (error) {
        if (signal.aborted) return false;
        this.#sayWhatToDo(error);
      }
    }
  }

  #sayWhatToDo(error: unknown): void {
    const { name, logFile, say } = this.#options;
    const why = error instanceof Error ? error.message : String(error);
    say(`${name} could not be started again: ${why}`);
    say(
      `It is tried again until it runs. Correct what ${logFile} complains of, or end all with Ctrl-C and start anew: npm start`,
    );
  }
}
