import fc from 'fast-check';
import { Step } from '../step.ts';
import type { Bench } from './bench.ts';
import { DEADLINE_MS, type Fault, type Gates } from './rule.ts';

type Command = Step<Gates, Bench>;

const fault = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Fault>('unavailable', 'ambiguous') },
  { weight: 3, arbitrary: fc.constantFrom<Fault>(null, 'transient') },
);

/** Everything that can happen to gates, one after the other. */
export function breakerCommands(count: number): fc.Arbitrary<Command>[] {
  const gate = fc.nat({ max: count - 1 });
  return [
    gate.map(begin),
    fc.tuple(fc.nat({ max: 20 }), fault).map(([nth, how]) => end(nth, how)),
    fc.tuple(gate, fault, fc.integer({ min: 3, max: 5 })).map(([at, how, times]) => many(at, how, times)),
    gate.map(follow),
    fc.tuple(gate, fc.boolean()).map(([at, hasWork]) => tryAgain(at, hasWork)),
    fc.tuple(gate, fault).map(([at, how]) => trial(at, how)),
    fc.tuple(gate, fc.integer({ min: 4, max: 8 })).map(([at, times]) => stayAway(at, times)),
    fc.constantFrom(400, 800, 3_000, 11_000, 40_000).map(pass),
    fc.constantFrom(null, 2_000, 1_000_000).map(pause),
    gate.map(lose),
  ];
}

function step(
  words: string,
  act: (model: Gates, bench: Bench) => void,
  can: (model: Readonly<Gates>) => boolean = () => true,
): Command {
  return new Step(
    words,
    async (model, bench) => {
      act(model, bench);
      await bench.idle();
      bench.expectAsIn(model);
    },
    can,
  );
}

const begin = (gate: number) =>
  step(
    `gate ${gate} lets one through`,
    (model, bench) => {
      bench.begin(gate, false);
      const { generation } = model.seen[gate]!.shared;
      model.sent.push({ gate, generation, trial: false, at: model.now });
    },
    (model) => model.width(gate) > 0,
  );

const end = (nth: number, how: Fault) =>
  step(
    `the ${nth}. send ends: ${how ?? 'answered'}`,
    (model, bench) => {
      const at = nth % model.sent.length;
      bench.end(bench.sent[at]!, how);
      const [sent] = model.sent.splice(at, 1);
      model.end(sent!, how);
    },
    ({ sent }) => sent.length > 0,
  );

/** So many in a row, so that a breaker opens often. */
function many(gate: number, how: Fault, times: number): Command {
  return new Step(
    `gate ${gate} sends ${times} times: ${how ?? 'answered'}`,
    async (model, bench) => {
      for (let n = 0; n < times; n += 1) {
        const one = { gate, generation: model.seen[gate]!.shared.generation, trial: false, at: model.now };
        if (model.width(gate) === 0) return;
        bench.end(one, how);
        model.end(one, how);
        await bench.idle();
        bench.expectAsIn(model);
      }
    },
    (model) => model.width(gate) > 0,
  );
}

const follow = (gate: number) =>
  step(`gate ${gate} looks`, (model, bench) => {
    bench.follow(gate);
    model.follow(gate);
  });

const tryAgain = (gate: number, hasWork: boolean) =>
  step(`gate ${gate} tries again, ${hasWork ? 'with' : 'without'} work`, (model, bench) => {
    bench.hasWork = hasWork;
    bench.gates[gate]!.tryAgain(DEADLINE_MS);
    model.tryAgain(gate, hasWork);
  });

/** A whole trial, once the longest pause is over. */
async function tryOnce(model: Gates, bench: Bench, gate: number, how: Fault): Promise<void> {
  const before = model.sent.length;
  model.now += 31_000;
  bench.clock.ms += 31_000;
  bench.follow(gate);
  model.follow(gate);
  bench.hasWork = true;
  bench.gates[gate]!.tryAgain(DEADLINE_MS);
  model.tryAgain(gate, true);
  await bench.idle();
  bench.expectAsIn(model);
  if (model.sent.length === before) return;
  bench.end(bench.sent.at(-1)!, how);
  model.end(model.sent.pop()!, how);
  await bench.idle();
  bench.expectAsIn(model);
}

const trial = (gate: number, how: Fault): Command =>
  new Step(`a trial at gate ${gate}: ${how ?? 'answered'}`, (model, bench) =>
    tryOnce(model, bench, gate, how),
  );

/** One trial after the other fails. */
const stayAway = (gate: number, times: number): Command =>
  new Step(`${times} trials at gate ${gate} find nobody there`, async (model, bench) => {
    for (let n = 0; n < times; n += 1) await tryOnce(model, bench, gate, 'unavailable');
  });

const pass = (ms: number) =>
  step(`${ms} ms pass`, (model, bench) => {
    bench.clock.ms += ms;
    model.now += ms;
  });

const pause = (forMs: number | null) =>
  step(forMs === null ? 'a person lets it go on' : `a person pauses it for ${forMs} ms`, (model, bench) => {
    const until = forMs === null ? null : model.now + forMs;
    bench.pause(until);
    model.pause(until);
  });

const lose = (gate: number) =>
  step(`gate ${gate} loses the store, or has it back`, (model, bench) => {
    if (model.lost.delete(gate)) bench.losables[gate]!.restore();
    else {
      model.lost.add(gate);
      bench.losables[gate]!.lose('moveBreaker');
    }
  });
