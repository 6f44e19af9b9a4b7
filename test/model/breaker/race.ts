import { expect } from 'chai';
import fc from 'fast-check';
import type { Store } from '../../../engine/store.ts';
import { Bench } from './bench.ts';
import { DEADLINE_MS, type Fault } from './rule.ts';

/** One thing that happens at a gate while moves of the breaker are on their way, in whatever order they arrive. */
export interface Event {
  readonly gate: number;
  readonly does: 'send' | 'end' | 'look' | 'try' | 'wait' | 'pass';
  readonly fault: Fault;
  readonly ms: number;
}

export const event: fc.Arbitrary<Event> = fc.record({
  gate: fc.nat({ max: 1 }),
  does: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<Event['does']>('send', 'end', 'try') },
    { weight: 2, arbitrary: fc.constantFrom<Event['does']>('wait', 'look', 'pass') },
  ),
  fault: fc.constantFrom<Fault>('unavailable', 'unavailable', 'ambiguous', null),
  ms: fc.constantFrom(1_500, 4_000, 11_000),
});

/** A store whose calls take time both ways; which of them comes through next is the scheduler's to say. */
function slow(scheduler: fc.Scheduler, moves: { count: number }): (store: Store) => Store {
  return (store) =>
    new Proxy(store, {
      get(target, name) {
        if (name !== 'moveBreaker') return Reflect.get(target, name) as unknown;
        return async (...given: Parameters<Store['moveBreaker']>) => {
          await scheduler.schedule(Promise.resolve(), 'asks');
          const reply = await target.moveBreaker(...given);
          if (reply.moved) moves.count += 1;
          await scheduler.schedule(Promise.resolve(), 'hears');
          return reply;
        };
      },
    });
}

/** Lets things happen while moves overtake each other; however they do, there is one trial at a time, and a way back. */
export async function race(scheduler: fc.Scheduler, events: readonly Event[]): Promise<void> {
  const moves = { count: 0 };
  const bench = new Bench(2, slow(scheduler, moves));
  const seen = [0, 0];
  for (const one of events) {
    await happens(bench, scheduler, one);
    bench.gates.forEach(({ breaker }, gate) => {
      expect(breaker.generation, 'what was seen of it').to.be.at.least(seen[gate]!);
      seen[gate] = breaker.generation;
    });
  }
  await scheduler.waitIdle();
  expect(bench.mostTrials, 'trials at once').to.be.at.most(1);
  expect(bench.shared.generation, 'one move for each generation').to.equal(moves.count);
  await comesBack(bench, scheduler);
}

async function happens(
  bench: Bench,
  scheduler: fc.Scheduler,
  { gate, does, fault, ms }: Event,
): Promise<void> {
  switch (does) {
    case 'send':
      if (bench.gates[gate]!.width > 0) for (let n = 0; n < 3; n += 1) bench.begin(gate, false);
      return;
    case 'end': {
      const own = bench.sent.filter((sent) => sent.gate === gate).slice(0, 3);
      for (const sent of own) bench.end(sent, fault);
      return;
    }
    case 'look':
      return bench.follow(gate);
    case 'try':
      return bench.gates[gate]!.tryAgain(DEADLINE_MS);
    case 'pass':
      bench.clock.ms += ms;
      return;
    case 'wait':
      if (scheduler.count() > 0) await scheduler.waitNext(1);
      return;
  }
}

/** Once the hospital answers again, a trial shuts no one out for long. */
async function comesBack(bench: Bench, scheduler: fc.Scheduler): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    for (const sent of bench.sent) bench.end(sent, null);
    await scheduler.waitIdle();
    bench.clock.ms += 60_000;
    bench.gates.forEach((gate, n) => {
      bench.follow(n);
      gate.tryAgain(DEADLINE_MS);
    });
    await scheduler.waitIdle();
  }
  for (const sent of bench.sent) bench.end(sent, null);
  await scheduler.waitIdle();
  for (const gate of bench.gates.keys()) bench.follow(gate);
  expect(bench.gates.map(({ width }) => width > 0)).to.deep.equal([true, true]);
}
