import type { Dice } from './dice.ts';
import type { Timeline } from './timeline.ts';
import type { Weather } from './weather.ts';

/** One message in a queue. */
export interface Queued {
  readonly order: number;
  readonly id: string;
  readonly body: Uint8Array;
  readonly redelivered: boolean;
}

/** One consuming channel, as the broker sees it. Everything it hears comes in the order it was sent. */
export interface Consumer {
  readonly prefetch: number;
  readonly deliver: (message: Queued, tag: number) => void;
  readonly closed: () => void;
}

export type QueueName = 'main' | 'late';

interface Subscription {
  readonly owner: object;
  readonly consumer: Consumer;
  readonly unacknowledged: Map<number, Queued>;
  tag: number;
}

/** A queue with a single active consumer: what is not acknowledged when that one goes comes again, in its order. */
class Queue {
  readonly ready: Queued[] = [];
  readonly subscriptions: Subscription[] = [];

  get unacknowledged(): number {
    return this.subscriptions.reduce((sum, { unacknowledged }) => sum + unacknowledged.size, 0);
  }

  push(message: Queued): void {
    this.ready.push(message);
    this.pump();
  }

  pump(): void {
    const [active] = this.subscriptions;
    if (active === undefined) return;
    while (this.ready.length > 0 && active.unacknowledged.size < active.consumer.prefetch) {
      const message = this.ready.shift()!;
      active.tag += 1;
      active.unacknowledged.set(active.tag, message);
      active.consumer.deliver(message, active.tag);
    }
  }

  end(subscription: Subscription): void {
    const at = this.subscriptions.indexOf(subscription);
    if (at < 0) return;
    this.subscriptions.splice(at, 1);
    const back = [...subscription.unacknowledged.values()].map((message) => ({
      ...message,
      redelivered: true,
    }));
    subscription.unacknowledged.clear();
    this.ready.push(...back);
    this.ready.sort((one, other) => one.order - other.order);
    this.pump();
  }
}

/** The broker between Dawy and the engines, with the queue of requests and what it gave up beside it. */
export class Broker {
  readonly #timeline: Timeline;
  readonly #weather: Weather;
  readonly #queues: Readonly<Record<QueueName, Queue>> = { main: new Queue(), late: new Queue() };
  #order = 0;

  constructor(timeline: Timeline, weather: Weather) {
    this.#timeline = timeline;
    this.#weather = weather;
  }

  /** Whether nothing is left that an engine would have to take. */
  get isEmpty(): boolean {
    return Object.values(this.#queues).every(
      ({ ready, unacknowledged }) => ready.length + unacknowledged === 0,
    );
  }

  /** Puts a message into the queue. Resolves nothing: the broker is trusted with what it confirmed. */
  publish(id: string, body: Uint8Array): number {
    this.#order += 1;
    this.#queues.main.push({ order: this.#order, id, body, redelivered: false });
    return this.#order;
  }

  /** Begins to consume; whoever comes second waits until the first has gone. */
  subscribe(
    name: QueueName,
    owner: object,
    consumer: Consumer,
  ): { acknowledge(tag: number): void; close(): void } {
    const queue = this.#queues[name];
    const subscription: Subscription = { owner, consumer, unacknowledged: new Map(), tag: 0 };
    queue.subscriptions.push(subscription);
    this.#timeline.after(0, () => queue.pump());
    return {
      acknowledge: (upTo) => {
        if (!queue.subscriptions.includes(subscription)) return;
        if (this.#weather.strikes('acknowledgement lost', 'broker')) {
          queue.end(subscription);
          consumer.closed();
          return;
        }
        for (const tag of [...subscription.unacknowledged.keys()])
          if (tag <= upTo) subscription.unacknowledged.delete(tag);
        queue.pump();
      },
      close: () => queue.end(subscription),
    };
  }

  /** Closes all that one process consumes: its heartbeats have stopped. */
  close(owner: object): void {
    for (const queue of Object.values(this.#queues))
      for (const subscription of queue.subscriptions.filter((one) => one.owner === owner)) {
        queue.end(subscription);
        subscription.consumer.closed();
      }
  }

  get refusesNow(): boolean {
    return this.#weather.strikes('broker refuses', 'broker');
  }

  /** The active consumer loses its connection, and hears of it a while later. */
  cut(heardAfterMs: number): void {
    const [active] = this.#queues.main.subscriptions;
    if (active === undefined) return;
    this.#weather.saw('queue cut off');
    this.#queues.main.end(active);
    this.#timeline.after(heardAfterMs, () => active.consumer.closed());
  }

  /** Gives up a message that was delivered too often: it was taken, and perhaps kept, and comes once more by the other queue. */
  giveUp(dice: Dice): void {
    const { main, late } = this.#queues;
    const [active] = main.subscriptions;
    const taken = active === undefined ? [] : [...active.unacknowledged.keys()];
    const choice = taken.length === 0 ? main.ready.splice(0, 1)[0] : undefined;
    const tag = taken.length === 0 ? undefined : dice.pick(taken);
    const message = tag === undefined ? choice : active?.unacknowledged.get(tag);
    if (message === undefined) return;
    this.#weather.saw('given up');
    if (tag !== undefined) active?.unacknowledged.delete(tag);
    late.push({ ...message, redelivered: true });
    main.pump();
  }
}
