import type { Database } from './database.ts';
import type { Line } from './line.ts';
import type { SimProcess } from './process.ts';

const RECONNECT_MS = 250;

interface SessionParts {
  readonly process: SimProcess;
  readonly database: Database;
  readonly line: Line;
}

/**
 * The session whose lock shows that an instance lives. When it breaks the lock is free at once; the process hears of
 * it a moment later, and takes the lock again unless its work was taken over meanwhile.
 */
export class Session {
  readonly id: string;
  readonly #parts: SessionParts;
  #locked = true;
  #knows = true;
  #left = false;
  #lost = false;
  #restoring = false;

  constructor(id: string, parts: SessionParts) {
    this.id = id;
    this.#parts = parts;
  }

  get locked(): boolean {
    return this.#locked;
  }

  get isLost(): boolean {
    return this.#lost;
  }

  get isBlind(): boolean {
    return !this.#locked && this.#knows;
  }

  holds(): boolean {
    return this.#knows && !this.#left && !this.#lost;
  }

  leave(): void {
    this.#left = true;
    this.#free();
  }

  break(noticedAfterMs: number): void {
    if (this.#left || this.#lost || !this.#locked) return;
    this.#free();
    const { process } = this.#parts;
    process.after(noticedAfterMs, () => {
      this.#knows = false;
      if (this.#restoring) return;
      this.#restoring = true;
      void this.#restore().finally(() => {
        this.#restoring = false;
      });
    });
  }

  #free(): void {
    this.#locked = false;
    this.#parts.database.freeLock(this.id);
  }

  async #restore(): Promise<void> {
    const { process, database, line } = this.#parts;
    while (!this.#left && !this.#lost) {
      const reply = await line.trip(
        async () => {
          const taken = database.takeLock(this.id);
          if (taken) this.#locked = true;
          return { value: taken, heard: () => undefined };
        },
        () => undefined,
      );
      if (reply.kind === 'answered') {
        if (!reply.value) this.#lost = true;
        // It may have broken again meanwhile.
        else if (this.#locked) this.#knows = true;
        if (this.#lost || this.#knows) return;
      }
      // The session that took the lock is gone with it.
      if (reply.kind === 'lost' && reply.done?.value === true) this.#free();
      await process.pause(RECONNECT_MS);
    }
  }
}
