const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** One that has run this long was well: the next pause is short again. */
const WELL_AFTER_MS = 30_000;

/** How long to wait before something that ended by itself is started again: longer while it keeps ending. */
export class Pauses {
  #nextMs = FIRST_PAUSE_MS;

  /** The next pause, after a run of `ranMs`. */
  afterRunOf(ranMs: number): number {
    if (ranMs > WELL_AFTER_MS) this.#nextMs = FIRST_PAUSE_MS;
    const pauseMs = this.#nextMs;
    this.#nextMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    return pauseMs;
  }
}
