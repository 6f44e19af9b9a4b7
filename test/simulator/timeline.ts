/** One thing that happens at an instant. */
export interface Happening {
  readonly at: number;
  readonly order: number;
  run: (() => void) | null;
}

/** So many happenings are handed to the event loop at once: it drains all microtasks between any two of them. */
const HANDED_OVER = 64;

/**
 * Virtual time: what happens, in the order of its instants, and of the same instant in the order it was planned.
 * Between two happenings everything that needs no time to pass has come about. Time jumps to the next.
 */
export class Timeline {
  #now = 0;
  #order = 0;
  readonly #heap: Happening[] = [];
  #failure: { readonly thrown: unknown } | null = null;

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** Plans something for an instant, the present one at the earliest. */
  at(instant: number, run: () => void): Happening {
    this.#order += 1;
    const happening = { at: Math.max(instant, this.#now), order: this.#order, run };
    push(this.#heap, happening);
    return happening;
  }

  after(ms: number, run: () => void): Happening {
    return this.at(this.#now + ms, run);
  }

  /** What was planned does not happen. */
  cancel(happening: Happening): void {
    happening.run = null;
  }

  /** Ends the run with what was thrown. */
  fail(thrown: unknown): void {
    this.#failure ??= { thrown };
  }

  /** Lets everything happen up to an instant, which is then the present. Rejects with what `fail` was told. */
  run(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let over = false;
      const step = () => {
        if (over) return;
        const next = this.#failure === null ? this.#next(until) : null;
        if (next !== null) {
          this.#now = next.at;
          next.run?.();
          return;
        }
        over = true;
        if (this.#failure !== null) return reject(this.#failure.thrown);
        this.#now = until;
        resolve();
      };
      const last = () => {
        step();
        handOver();
      };
      const handOver = () => {
        if (over) return;
        for (let count = 1; count < HANDED_OVER; count += 1) setImmediate(step);
        setImmediate(last);
      };
      handOver();
    });
  }

  #next(until: number): Happening | null {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > until) return null;
      pop(this.#heap);
      if (first.run !== null) return first;
    }
  }
}

function before(one: Happening, other: Happening): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

function push(heap: Happening[], added: Happening): void {
  let place = heap.length;
  heap.push(added);
  while (place > 0) {
    const parent = (place - 1) >> 1;
    const above = heap[parent]!;
    if (!before(added, above)) break;
    heap[place] = above;
    place = parent;
  }
  heap[place] = added;
}

function pop(heap: Happening[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
    if (!before(heap[child]!, last)) break;
    heap[place] = heap[child]!;
    place = child;
  }
  heap[place] = last;
}
