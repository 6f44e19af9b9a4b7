import { expect } from 'chai';
import { anAnswer } from '../../../channels/memory/outbound.ts';
import { type BreakerState, CLOSED } from '../../../engine/breaker.ts';
import type { Outcome } from '../../../engine/delivery.ts';
import { BridgeError, type ErrorCode } from '../../../engine/errors.ts';
import { Gate } from '../../../engine/gate.ts';
import type { ChannelName } from '../../../engine/message.ts';
import { systemRandom } from '../../../engine/random.ts';
import { MemoryStore, MemoryTables } from '../../../engine/store/memory.ts';
import type { Store } from '../../../engine/store.ts';
import { ManualClock } from '../../support/clock.ts';
import { type Losable, losable } from '../../support/losable-store.ts';
import { DEADLINE_MS, type Fault, FRACTION, type Gates, type Sent } from './rule.ts';

const CHANNEL = 'riverside-out' as ChannelName;
const START = Date.parse('2026-11-01T08:00:00Z');

const CODES: Readonly<Record<Exclude<Fault, null>, ErrorCode>> = {
  unavailable: 'connection-failed',
  ambiguous: 'connection-reset',
  transient: 'busy',
};

/** Time that jumps: nobody sleeps here. */
class JumpingClock extends ManualClock {
  ms = 0;

  override now(): Date {
    return new Date(START + this.ms);
  }

  override monotonicMs(): number {
    return this.ms;
  }
}

/** Some gates over one store, each of them an instance's, and every send that began at one of them. */
export class Bench {
  readonly clock = new JumpingClock();
  readonly gates: readonly Gate[];
  readonly losables: readonly Losable[];
  sent: Sent[] = [];
  hasWork = true;
  /** How many trials were on their way at once, at most. */
  mostTrials = 0;
  readonly #tables: MemoryTables;

  constructor(count: number, before: (store: Store) => Store = (store) => store) {
    this.#tables = new MemoryTables(this.clock, systemRandom);
    const places = Array.from({ length: count }, (_, n) => n);
    this.losables = places.map(() => losable(new MemoryStore(this.#tables)));
    this.gates = places.map(
      (gate) =>
        new Gate({
          name: CHANNEL,
          store: before(this.losables[gate]!.store),
          clock: this.clock,
          random: { ...systemRandom, fraction: () => FRACTION },
          telemetry: { emit: () => undefined },
          opened: () => undefined,
          trial: async () => {
            if (this.hasWork) this.begin(gate, true);
            return this.hasWork;
          },
        }),
    );
    for (const gate of this.gates) gate.follow(this.shared);
  }

  get shared(): BreakerState {
    return this.#tables.breakers.get(CHANNEL) ?? CLOSED;
  }

  /** Whose trial may still be on its way: no send is waited for longer than its deadline. */
  get trials(): readonly Sent[] {
    return this.sent.filter(({ trial, at }) => trial && this.clock.ms < at + DEADLINE_MS);
  }

  begin(gate: number, trial: boolean): void {
    const { generation } = this.gates[gate]!.breaker;
    this.sent.push({ gate, generation, trial, at: this.clock.ms });
    this.mostTrials = Math.max(this.mostTrials, this.trials.length);
  }

  end(sent: Sent, fault: Fault): void {
    this.sent = this.sent.filter((other) => other !== sent);
    const { gate, generation, trial } = sent;
    this.gates[gate]!.observe(outcomeOf(fault), { trial, generation });
  }

  follow(gate: number): void {
    this.gates[gate]!.follow(this.shared);
  }

  /** A person pauses it until then, or lets it go on. */
  pause(until: number | null): void {
    const { shared } = this;
    const paused =
      until === null ? null : { by: 'a person', reason: 'a test', until: new Date(START + until) };
    this.#tables.breakers.set(CHANNEL, { ...shared, paused, generation: shared.generation + 1 });
  }

  async idle(): Promise<void> {
    for (const gate of this.gates) await gate.idle();
  }

  /** The breaker, what the gates have seen of it, and how wide they stand are as the rule has them. */
  expectAsIn(model: Gates): void {
    const { state, generation, openings, probeAt, paused } = this.shared;
    const msOf = (at: Date | null | undefined) => (at ? at.getTime() - START : null);
    const found = { state, generation, openings, probeAt: msOf(probeAt), pausedUntil: msOf(paused?.until) };
    expect(found).to.deep.equal(model.shared);
    expect(this.gates.map(({ breaker }) => breaker.generation)).to.deep.equal(
      model.seen.map(({ shared }) => shared.generation),
    );
    expect(this.gates.map(({ width }) => width)).to.deep.equal(
      model.seen.map((_, gate) => model.width(gate)),
    );
    expect(this.sent).to.deep.equal(model.sent);
    expect(this.mostTrials, 'trials at once').to.be.at.most(1);
  }
}

function outcomeOf(fault: Fault): Outcome {
  if (fault === null) return { kind: 'answered', verdict: 'taken', answer: anAnswer() };
  return { kind: 'failed', error: new BridgeError(CODES[fault], 'the test says so'), answer: null };
}
