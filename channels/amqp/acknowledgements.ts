/**
 * Finds how far an unbroken run of answered deliveries reaches, so that one acknowledgement with `multiple`
 * covers them all. Tags of a channel start at 1 and rise by one; answers may come in any order.
 */
export class Acknowledgements {
  #reached = 0;
  readonly #ahead = new Set<number>();

  /** Notes that the delivery is answered. */
  answered(tag: number): void {
    this.#ahead.add(tag);
  }

  /** The highest tag that has no unanswered one before it, or null when it has not moved since the last call. */
  reach(): number | null {
    const before = this.#reached;
    while (this.#ahead.delete(this.#reached + 1)) this.#reached += 1;
    return this.#reached === before ? null : this.#reached;
  }
}
