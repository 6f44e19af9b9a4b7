import fc from 'fast-check';
import { runs } from '../runs.ts';
import { Step } from '../step.ts';
import { Hospital } from './hospital.ts';

const SENDERS = 3;

/** Which processes there are, and which of them cannot reach the store. */
interface Model {
  readonly running: Set<number>;
  readonly cut: Set<number>;
}

type Command = Step<Model, Hospital>;

function step(
  words: string,
  act: (hospital: Hospital, model: Model) => Promise<void> | void,
  can: (model: Readonly<Model>) => boolean,
): Command {
  return new Step(
    words,
    async (model, hospital) => {
      await act(hospital, model);
      hospital.expectBorne();
    },
    can,
  );
}

const start = (at: number) =>
  step(
    `${at} starts`,
    (hospital, { running }) => {
      running.add(at);
      return hospital.start(at);
    },
    ({ running }) => !running.has(at),
  );

const end = (at: number, how: 'crash' | 'leave') =>
  step(
    how === 'crash' ? `${at} crashes` : `${at} leaves`,
    (hospital, { running, cut }) => {
      running.delete(at);
      cut.delete(at);
      return hospital[how](at);
    },
    ({ running, cut }) => running.has(at) && (how === 'crash' || !cut.has(at)),
  );

const cutOff = (at: number) =>
  step(
    `${at} loses the store, or has it back`,
    (hospital, { cut }) => {
      const { losable } = hospital.sender(at)!;
      if (cut.delete(at)) return losable.restore();
      cut.add(at);
      return losable.lose();
    },
    ({ running }) => running.has(at),
  );

const beat = (at: number) =>
  step(
    `${at} beats`,
    (hospital) => hospital.sender(at)!.life.beat(),
    ({ running }) => running.has(at),
  );

/** One cannot reach the store for a while, and the others go on beating and sending. */
const freeze = (at: number, beats: number) =>
  step(
    `${at} loses the store for ${beats} beats of the others`,
    async (hospital, { running, cut }) => {
      cut.add(at);
      hospital.sender(at)!.losable.lose();
      for (let n = 0; n < beats; n += 1) {
        hospital.pass(2_000);
        hospital.send(at);
        for (const other of running) {
          if (!cut.has(other)) await hospital.sender(other)!.life.beat();
          hospital.send(other);
        }
        hospital.expectBorne();
      }
    },
    ({ running, cut }) => running.has(at) && !cut.has(at),
  );

const send = (at: number) =>
  step(
    `${at} sends if it may`,
    (hospital) => hospital.send(at),
    ({ running }) => running.has(at),
  );

const fill = (at: number) =>
  step(
    `${at} sends as much as it may`,
    (hospital) => {
      for (let n = 0; n < 5; n += 1) hospital.send(at);
    },
    ({ running }) => running.has(at),
  );

/** Everybody beats once, in the order of their joining or in the other. */
const beatAll = (turned: boolean) =>
  step(
    turned ? 'all beat, the last one first' : 'all beat',
    async (hospital, { running }) => {
      const order = turned ? [...running].toReversed() : [...running];
      for (const at of order) await hospital.sender(at)!.life.beat();
    },
    () => true,
  );

const answered = (at: number) =>
  step(
    `${at} has an answer`,
    (hospital) => {
      hospital.sender(at)!.sends.shift();
    },
    ({ running }) => running.has(at),
  );

const pass = (ms: number) =>
  step(
    `${ms} ms pass`,
    (hospital) => hospital.pass(ms),
    () => true,
  );

const sender = fc.nat({ max: SENDERS - 1 });
const commands = fc.commands(
  [
    sender.map(start),
    sender.map((at) => end(at, 'crash')),
    sender.map((at) => end(at, 'leave')),
    sender.map(cutOff),
    fc.tuple(sender, fc.integer({ min: 6, max: 12 })).map(([at, beats]) => freeze(at, beats)),
    ...Array.from({ length: 4 }, () => sender.map(beat)),
    ...Array.from({ length: 4 }, () => sender.map(send)),
    sender.map(fill),
    fc.boolean().map(beatAll),
    sender.map(answered),
    fc.constantFrom(1_000, 2_000, 4_900, 9_000, 15_000, 20_100).map(pass),
  ],
  { maxCommands: 80, size: '+1' },
);

describe('the share of each instance', function () {
  this.timeout(480_000);

  it('is none at first, also for one that was declared lost and joins anew', async () => {
    const hospital = new Hospital(2, 2);
    await hospital.start(0);
    hospital.pass(20_100);
    await hospital.start(1);
    hospital.send(1);
    hospital.send(1);
    await hospital.sender(0)?.life.beat();
    hospital.send(0);
    hospital.expectBorne();
  });

  it('grows only after the others were told that it does', async () => {
    const hospital = new Hospital(2, 2);
    await hospital.start(0);
    await hospital.start(1);
    await hospital.leave(0);
    await hospital.sender(1)?.life.beat();
    await hospital.start(0);
    hospital.send(1);
    await hospital.sender(0)?.life.beat();
    hospital.send(0);
    hospital.send(1);
    hospital.expectBorne();
  });

  it('adds up to no more than the hospital bears, whatever befalls the others, and to all of it when all is well', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), commands, async (maxInFlight, steps) => {
        const real = new Hospital(SENDERS, maxInFlight);
        const model: Model = { running: new Set(), cut: new Set() };
        await fc.asyncModelRun(() => ({ model, real }), steps);
        await real.expectUsed();
      }),
      runs(1_500, 10_000),
    );
  });
});
