import type { Clock } from './clock.ts';

/**
 * Forms batches without a timer: what is added while a batch is on its way is the next one. A lone
 * item waits for nobody; under load batches grow by themselves up to `limit`. One batch at a time, so
 * items are flushed in the order they were added. When a batch fails, so does everything that waits
 * behind it: what comes again later must not be overtaken by what came after it.
 */
export class Batcher<Item, Result> {
  readonly #flush: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #clock: Pick<Clock, 'turn'>;
  readonly #limit: number;
  readonly #weight: Weight<Item>;
  #waiting: Entry<Item, Result>[] = [];
  #running: Promise<void> | null = null;

  constructor(
    flush: (items: readonly Item[]) => Promise<readonly Result[]>,
    clock: Pick<Clock, 'turn'>,
    limit = 200,
    weight: Weight<Item> = { of: () => 0, most: 0 },
  ) {
    this.#flush = flush;
    this.#clock = clock;
    this.#limit = limit;
    this.#weight = weight;
  }

  /** Resolves with the item's own result once its batch is through; rejects when its batch did. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      // A turn of the event loop later, so that what one socket read brought forms one batch.
      this.#running ??= this.#clock.turn().then(() => this.#run());
    });
  }

  /** Resolves when nothing is waiting or on its way. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  /** How many of the waiting make the next batch: at least one, at most the limit, and no more than they may weigh. */
  #count(): number {
    let total = 0;
    let count = 0;
    for (const { item } of this.#waiting.slice(0, this.#limit)) {
      total += this.#weight.of(item);
      if (count > 0 && total > this.#weight.most) break;
      count += 1;
    }
    return count;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const entries = this.#waiting.splice(0, this.#count());
      try {
        const results = await this.#flush(entries.map(({ item }) => item));
        entries.forEach(({ resolve }, at) => {
          resolve(results[at] as Result);
        });
      } catch (thrown) {
        const behind = this.#waiting.splice(0);
        for (const { reject } of [...entries, ...behind]) reject(thrown);
      }
    }
    this.#running = null;
  }
}

/** What an item weighs, and how much one batch may: a batch of large items must not keep small ones waiting. */
export interface Weight<Item> {
  readonly of: (item: Item) => number;
  readonly most: number;
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (thrown: unknown) => void;
}
