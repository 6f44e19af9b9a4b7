import type { ChannelName } from '../../engine/message.ts';
import { MemoryTables } from '../../engine/store/memory.ts';
import type { Dice } from './dice.ts';
import type { BadStore } from './store.ts';
import type { Timeline } from './timeline.ts';
import type { Weather } from './weather.ts';

/** After a restart every session gets this long to take its lock again, as the real store gives it. */
const REGROUP_MS = 3_000;
const JUMPS_APART_MS = 60_000;
const NOTIFY_MS = [10, 30] as const;

/** The server: one set of tables, its own clock, and whether it is there at all. */
export class Database {
  readonly tables: MemoryTables;
  readonly #timeline: Timeline;
  readonly #weather: Weather;
  readonly #dice: Dice;
  readonly #epochMs: number;
  readonly #clients = new Set<BadStore>();
  #offMs = 0;
  #jumpedAt = Number.NEGATIVE_INFINITY;
  #downs = 0;
  #regroupsUntil = Number.NEGATIVE_INFINITY;

  constructor(
    parts: { readonly timeline: Timeline; readonly weather: Weather; readonly epochMs: number },
    dice: Dice,
  ) {
    this.#timeline = parts.timeline;
    this.#weather = parts.weather;
    this.#epochMs = parts.epochMs;
    this.#dice = dice;
    const nowMs = () => this.#epochMs + this.#timeline.now + this.#offMs;
    const never = () => {
      throw new TypeError('the server waits for nothing');
    };
    // Leases are told by the same clock as times of day, as PostgreSQL does it.
    const clock = {
      now: () => new Date(nowMs()),
      monotonicMs: nowMs,
      sleep: never,
      turn: never,
      alarm: never,
    };
    this.tables = new MemoryTables(clock, dice.random);
  }

  get isUp(): boolean {
    return this.#downs === 0;
  }

  connect(client: BadStore): void {
    this.#clients.add(client);
  }

  disconnect(client: BadStore): void {
    this.#clients.delete(client);
  }

  jump(ms: number): void {
    // Two jumps forward within a lease would add up to more than one may be.
    if (ms > 0 && this.#timeline.now - this.#jumpedAt < JUMPS_APART_MS) return;
    if (ms > 0) this.#jumpedAt = this.#timeline.now;
    this.#weather.saw('database clock jumps');
    this.#offMs += ms;
  }

  /** The machine was asleep with all others: only its clock knows. */
  sleptFor(ms: number): void {
    this.#offMs += ms;
  }

  /** Every session breaks; for so long nobody is answered. */
  crash(ms: number): void {
    this.#weather.saw('database restarts');
    this.#downs += 1;
    for (const client of this.#clients) client.serverGone();
    this.#timeline.after(ms, () => {
      this.#downs -= 1;
      if (this.#downs > 0) return;
      this.#regroupsUntil = this.#timeline.now + REGROUP_MS;
      const before = [...this.tables.instances.keys()];
      for (const instance of this.tables.instances.values())
        this.tables.instances.set(instance.id, { ...instance, crashed: false });
      this.#timeline.after(REGROUP_MS, () => this.#regrouped(before));
    });
  }

  /** The lock of an instance is free from now on: whoever beats next may take its work over. */
  freeLock(id: string): void {
    this.#lock(id, true);
    if (this.#timeline.now < this.#regroupsUntil) this.#lock(id, false);
  }

  /** The lock of an instance is taken again; false when its row is gone. */
  takeLock(id: string): boolean {
    return this.#lock(id, false);
  }

  /** Tells the others of work, unless it is lost on the way. */
  notify(from: BadStore, channels: readonly ChannelName[]): void {
    if (!this.isUp) return;
    for (const client of this.#clients) {
      if (client === from || this.#weather.strikes('wake-up lost', 'store')) continue;
      const times = this.#weather.strikes('wake-up twice', 'store') ? 2 : 1;
      for (let time = 0; time < times; time += 1) client.told(channels, this.#dice.between(NOTIFY_MS));
    }
  }

  /** Of those that were there before, whoever has not taken its lock again is gone. */
  #regrouped(before: readonly string[]): void {
    if (this.#timeline.now < this.#regroupsUntil || !this.isUp) return;
    const held = new Set([...this.#clients].flatMap((client) => client.heldLock ?? []));
    for (const id of before) if (!held.has(id)) this.#lock(id, true);
  }

  #lock(id: string, isFree: boolean): boolean {
    const instance = this.tables.instances.get(id);
    if (instance === undefined) return false;
    this.tables.instances.set(id, { ...instance, crashed: isFree });
    return true;
  }
}
