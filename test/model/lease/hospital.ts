import { expect } from 'chai';
import { Life } from '../../../engine/membership.ts';
import { systemRandom } from '../../../engine/random.ts';
import { shareOf } from '../../../engine/shares.ts';
import { MemoryStore, MemoryTables } from '../../../engine/store/memory.ts';
import { ManualClock } from '../../support/clock.ts';
import { type Losable, losable } from '../../support/losable-store.ts';

/** How long a send may take. */
export const DEADLINE_MS = 5_000;

/** Time that jumps: nobody sleeps here. */
class JumpingClock extends ManualClock {
  ms = 0;

  override now(): Date {
    return new Date(this.ms);
  }

  override monotonicMs(): number {
    return this.ms;
  }
}

/** One process that sends to the hospital: as many at once as its share is, and nothing when it may not. */
class Sender {
  readonly losable: Losable;
  readonly life: Life;
  /** The deadlines of the sends on their way. */
  sends: number[] = [];
  share = 0;

  constructor(tables: MemoryTables, clock: ManualClock, maxInFlight: number) {
    this.losable = losable(new MemoryStore(tables));
    this.life = new Life({
      store: this.losable.store,
      clock,
      follow: () => undefined,
      telemetry: { emit: () => undefined },
      planHash: () => 'plan-1',
      graceMs: () => DEADLINE_MS,
      keepsTo: () => this.sends.length <= this.share,
      onFenced: () => {
        this.share = 0;
      },
      onPulse: (division) => {
        this.share = shareOf(maxInFlight, division, this.share);
      },
      onWake: () => undefined,
    });
  }
}

/** A hospital that bears so many at once, and the processes that send to it. */
export class Hospital {
  readonly clock = new JumpingClock();
  readonly #tables = new MemoryTables(this.clock, systemRandom);
  readonly #senders: (Sender | null)[];
  readonly #maxInFlight: number;

  constructor(senders: number, maxInFlight: number) {
    this.#senders = Array.from({ length: senders }, () => null);
    this.#maxInFlight = maxInFlight;
  }

  sender(at: number): Sender | null {
    return this.#senders[at] ?? null;
  }

  async start(at: number): Promise<void> {
    const sender = new Sender(this.#tables, this.clock, this.#maxInFlight);
    this.#senders[at] = sender;
    await sender.life.join();
  }

  /** Its process ends, and all it was sending with it. */
  async crash(at: number): Promise<void> {
    await this.sender(at)?.losable.store.close();
    this.#senders[at] = null;
  }

  /** As an engine stops: what is on its way ends first. */
  async leave(at: number): Promise<void> {
    await this.sender(at)?.life.leave();
    this.#senders[at] = null;
  }

  send(at: number): void {
    const sender = this.sender(at);
    if (sender === null || !sender.life.maySend() || sender.sends.length >= sender.share) return;
    sender.sends.push(this.clock.ms + DEADLINE_MS);
  }

  /** Nobody waits for an answer longer than the deadline. */
  pass(ms: number): void {
    this.clock.ms += ms;
    for (const sender of this.#running)
      sender.sends = sender.sends.filter((deadline) => deadline > this.clock.ms);
  }

  /** The hospital never gets more than it bears, and who may send is not taken for lost by anyone. */
  expectBorne(): void {
    const sends = this.#running.map((sender) => sender.sends.length);
    expect(sum(sends), `on their way: ${sends.join(' + ')}`).to.be.at.most(this.#maxInFlight);
    const living = [...this.#tables.instances.values()].filter(({ crashed }) => !crashed);
    const mayBeSending = this.#running.filter(({ life }) => life.maySend());
    expect(mayBeSending.length, 'may send').to.be.at.most(living.length);
  }

  /** When all is well again for long enough, every slot of the hospital is somebody's. */
  async expectUsed(): Promise<void> {
    for (let rounds = 0; rounds < 6; rounds += 1) {
      this.pass(rounds === 0 ? 60_000 : 2_000);
      for (const sender of this.#running) {
        sender.losable.restore();
        await sender.life.beat();
      }
      this.expectBorne();
    }
    const shares = this.#running.map(({ share }) => share);
    if (shares.length > 0) expect(sum(shares), shares.join(' + ')).to.equal(this.#maxInFlight);
  }

  get #running(): readonly Sender[] {
    return this.#senders.filter((sender) => sender !== null);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
