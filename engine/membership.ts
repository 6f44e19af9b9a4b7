import type { BreakerState } from './breaker.ts';
import type { Clock, SystemClock } from './clock.ts';
import { BridgeError } from './errors.ts';
import type { ChannelName } from './message.ts';
import { type Division, NOT_YET } from './shares.ts';
import { LEASE_MS, type Membership, type Pulse, type Store } from './store.ts';
import type { Telemetry } from './telemetry.ts';

export const BEAT_MS = 2_000;

export interface LifeParts {
  readonly store: Store;
  readonly clock: Clock;
  /** The clock to keep on the database's time. */
  readonly follow: SystemClock['follow'];
  readonly telemetry: Telemetry;
  readonly planHash: () => string;
  /** The longest a send may take: for that long a frozen instance may still be sending. Milliseconds. */
  readonly graceMs: () => number;
  /** Whether what is in flight keeps to the division given last. */
  readonly keepsTo: () => boolean;
  /** Called when this instance was declared lost: what it had, its slots among it, is the others' now. */
  readonly onFenced: () => void;
  readonly onPulse: (
    division: Division,
    breakers: ReadonlyMap<ChannelName, BreakerState>,
    tookOver: boolean,
  ) => void;
  readonly onWake: (channels: readonly ChannelName[]) => void;
}

/** This instance among the living: joins, beats, and knows at every moment whether it may still send. */
export class Life {
  readonly #parts: LifeParts;
  #membership: Membership | null = null;
  #lastBeatMs = Number.NEGATIVE_INFINITY;
  /** What the others were told last that this instance divides its slots by, at least. */
  #honours = 1;
  #living = 1;
  #division: Division = NOT_YET;
  #storeLost = false;

  constructor(parts: LifeParts) {
    this.#parts = parts;
  }

  /**
   * Whether nobody can have taken over: the last confirmed beat is young enough, and the lock that shows this
   * instance alive is held. Asked right before the first byte.
   */
  maySend(): boolean {
    const isYoung = this.#parts.clock.monotonicMs() - this.#lastBeatMs < LEASE_MS;
    return isYoung && (this.#membership?.holds() ?? false);
  }

  /** Joins the living. Rejects when the store is away. */
  async join(): Promise<void> {
    const { store, telemetry, onWake } = this.#parts;
    this.#division = NOT_YET;
    this.#honours = 1;
    this.#living = 1;
    this.#membership = await store.join();
    this.#membership.onWake(onWake);
    telemetry.emit({ kind: 'instance-joined', instance: this.#membership.id });
    await this.beat();
  }

  /** One beat. A lost store is said once and waited out; an instance that was declared lost joins anew. */
  async beat(): Promise<void> {
    const sentAtMs = this.#parts.clock.monotonicMs();
    try {
      if (this.#membership === null) return await this.join();
      const pulse = await this.#membership.beat({
        plan: this.#parts.planHash(),
        honours: this.#honoursNow(),
        graceMs: this.#parts.graceMs(),
      });
      if (pulse === null) return await this.#rejoin();
      this.#lastBeatMs = sentAtMs;
      this.#take(pulse, this.#membership.id);
    } catch (thrown) {
      this.#lost(thrown);
    }
  }

  /** Beats until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#parts.clock.sleep(BEAT_MS, signal);
      if (!signal.aborted) await this.beat();
    }
  }

  /** Leaves the living: what is still owned is taken over at once. */
  async leave(): Promise<void> {
    const leaving = this.#membership;
    this.#membership = null;
    this.#lastBeatMs = Number.NEGATIVE_INFINITY;
    if (leaving === null) return;
    try {
      await leaving.leave();
    } catch (thrown) {
      // Without the store there is nothing to leave: the lock went with its connection.
      if (!(thrown instanceof BridgeError) || thrown.code !== 'store-unavailable') throw thrown;
    }
    this.#parts.telemetry.emit({ kind: 'instance-left', instance: leaving.id });
  }

  #honoursNow(): number {
    if (this.#parts.keepsTo()) this.#honours = this.#living;
    return this.#honours;
  }

  #take(pulse: Pulse, me: string): void {
    const { telemetry, follow, onPulse } = this.#parts;
    follow(pulse.now);
    if (this.#storeLost) telemetry.emit({ kind: 'store-back', detail: 'beats again' });
    this.#storeLost = false;
    this.#living = Math.max(pulse.living.length, 1);
    // When others are gone it grows only after it has said so: until then one that joins counts on what was said last.
    const by = Math.max(this.#living, this.#honours);
    this.#division = {
      by,
      rank: Math.max(pulse.living.indexOf(me), 0),
      settled: by === 1 || pulse.honoured >= by,
    };
    const { queued, ambiguous } = pulse.recovered;
    if (queued > 0) telemetry.emit({ kind: 'instance-took-over', instance: me, queued, ambiguous });
    onPulse(this.#division, pulse.breakers, queued > 0);
  }

  async #rejoin(): Promise<void> {
    const { telemetry, onFenced } = this.#parts;
    telemetry.emit({ kind: 'instance-fenced', instance: this.#membership?.id ?? '-' });
    onFenced();
    this.#lastBeatMs = Number.NEGATIVE_INFINITY;
    this.#membership = null;
    await this.join();
  }

  #lost(thrown: unknown): void {
    const error = BridgeError.from(thrown, 'store-mismatch', 'beat');
    const { telemetry } = this.#parts;
    if (error.code !== 'store-unavailable') {
      telemetry.emit({ kind: 'defect', where: 'beat', detail: `${error.message}: ${String(error.cause)}` });
    } else if (!this.#storeLost) {
      this.#storeLost = true;
      telemetry.emit({ kind: 'store-lost', detail: error.message });
    }
  }
}
