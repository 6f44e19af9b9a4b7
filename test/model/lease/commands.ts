import { expect } from 'chai';
import fc from 'fast-check';
import { edition, settlement } from '../../support/store-conformance.ts';
import { nextOf } from '../lane/next.ts';
import type { Place } from '../lane/rule.ts';
import { Step } from '../step.ts';
import type { Bench, Seat } from './bench.ts';
import { Living, type Member } from './rule.ts';

/** The instances by the rule, and which of them sits where. */
export class Model extends Living {
  readonly seats: (Member | null)[];
  /** The lane of the delivery that was kept last: each has its own. */
  lane = 0;

  constructor(seats: number) {
    super();
    this.seats = Array.from({ length: seats }, () => null);
  }

  sit(at: number): Member {
    const member = this.join();
    this.seats[at] = member;
    return member;
  }

  pick(nth: number): Place {
    return this.lanes.open[nth % this.lanes.open.length]!;
  }
}

type Command = Step<Model, Bench>;

/** Not so near to a lease or a deadline that the time which really passes could matter. */
const UNIT_MS = 8_000;
const graceMs = fc.constantFrom(500, 8_500);

/** Everything that befalls instances, one thing after the other. */
export function leaseCommands(seats: number): fc.Arbitrary<Command>[] {
  const seat = fc.nat({ max: seats - 1 });
  const nth = fc.nat({ max: 20 });
  const beats = fc.record({ honours: fc.integer({ min: 1, max: 3 }), graceMs });
  return [
    seat.map(join),
    seat.map(join),
    fc.tuple(seat, beats).map(([at, report]) => beat(at, report)),
    fc.tuple(seat, beats).map(([at, report]) => beat(at, report)),
    fc.constantFrom(1, 1, 2, 3).map((units) => pass(units * UNIT_MS)),
    fc
      .record({ at: seat, units: fc.integer({ min: 1, max: 3 }), report: beats, wakes: fc.boolean() })
      .map(freeze),
    seat.map(crash),
    seat.map(leave),
    seat.map(breakLock),
    fc.tuple(seat, fc.boolean(), fc.boolean()).map(([at, hot, writes]) => keep(at, hot, writes)),
    fc.tuple(seat, fc.boolean()).map(([at, writes]) => keep(at, true, writes)),
    fc.tuple(seat, fc.integer({ min: 1, max: 3 })).map(([at, limit]) => claim(at, limit)),
    fc.tuple(seat, nth).map(([at, which]) => write(at, which)),
    fc.tuple(seat, nth, fc.boolean()).map(([at, which, ends]) => settle(at, which, ends)),
  ];
}

function step(
  words: string,
  act: (model: Model, bench: Bench) => Promise<void>,
  can: (model: Readonly<Model>) => boolean,
): Command {
  return new Step(
    words,
    async (model, bench) => {
      await act(model, bench);
      await bench.expectAsIn(model);
    },
    can,
  );
}

const sits = (at: number) => (model: Readonly<Model>) => model.seats[at] !== null;
const sitsWithWork = (at: number) => (model: Readonly<Model>) =>
  sits(at)(model) && model.lanes.open.length > 0;

/** A living one does not join; one that was declared lost does. */
const join = (at: number) =>
  step(
    `${at} joins`,
    async (model, bench) => {
      await bench.join(at, model.sit(at));
    },
    ({ seats }) => !seats[at]?.isListed,
  );

interface Report {
  readonly honours: number;
  readonly graceMs: number;
}

const beat = (at: number, report: Report) =>
  step(
    `${at} beats, honours ${report.honours}, sends for at most ${report.graceMs} ms`,
    (model, bench) => beatOnce(model, bench, at, report),
    sits(at),
  );

async function beatOnce(model: Model, bench: Bench, at: number, report: Report): Promise<void> {
  const told = model.beat(model.seats[at]!, report);
  const pulse = await bench.seats[at]!.membership!.beat({ plan: 'plan-1', ...report });
  const heard = pulse && {
    living: bench.numbersOf(pulse.living),
    honoured: pulse.honoured,
    recovered: pulse.recovered,
  };
  expect(heard).to.deep.equal(told);
}

interface Freeze {
  readonly at: number;
  readonly units: number;
  readonly report: Report;
  readonly wakes: boolean;
}

/** One is frozen right after a beat, and the others go on beating; it may wake after that. */
const freeze = ({ at, units, report, wakes }: Freeze) =>
  step(
    `${at} beats, sends for at most ${report.graceMs} ms, freezes for ${units * UNIT_MS} ms${wakes ? ' and wakes' : ''}`,
    async (model, bench) => {
      await beatOnce(model, bench, at, report);
      const others = model.seats.flatMap((member, n) => (member === null || n === at ? [] : [n]));
      for (let unit = 0; unit < units; unit += 1) {
        model.pass(UNIT_MS);
        await bench.world.pass(UNIT_MS);
        for (const other of others) await beatOnce(model, bench, other, report);
      }
      if (wakes) await beatOnce(model, bench, at, report);
    },
    sits(at),
  );

const pass = (ms: number) =>
  step(
    `${ms} ms pass`,
    async (model, bench) => {
      model.pass(ms);
      await bench.world.pass(ms);
    },
    () => true,
  );

const crash = (at: number) =>
  step(
    `${at} crashes`,
    async (model, bench) => {
      model.seats[at]!.isGone = true;
      model.seats[at] = null;
      await bench.crash(at);
    },
    sits(at),
  );

const leave = (at: number) =>
  step(
    `${at} leaves`,
    async (model, bench) => {
      model.leave(model.seats[at]!);
      model.seats[at] = null;
      const seat = bench.seats[at]!;
      await seat.membership!.leave();
      seat.membership = null;
    },
    sits(at),
  );

/** As long as nobody beats meanwhile it takes its lock again, and nothing has happened. */
const breakLock = (at: number) =>
  step(
    `${at} loses the connection that holds its lock`,
    (_, bench) => bench.world.breakLock(bench.seats[at]!.membership!),
    ({ seats }) => seats[at]?.isListed ?? false,
  );

const keep = (at: number, hot: boolean, writes: boolean) =>
  step(
    `${at} keeps one${hot ? ', hot' : ''}${writes ? ', and writes its edition' : ''}`,
    async (model, bench) => {
      const { id, running } = await bench.keep(at, hot);
      model.lane += 1;
      const place = model.lanes.keep(id, model.lane, hot ? model.seats[at]!.number : null);
      expect(running).to.equal(place.state === 'running');
      if (writes) await writeIts(model, bench, at, place);
    },
    sits(at),
  );

async function writeIts(model: Model, bench: Bench, at: number, place: Place): Promise<void> {
  const { store } = bench.seats[at] as Seat;
  const [written] = await store.writeEditions([edition(bench.works.get(place.id)!)]);
  expect(written).to.equal(place.owner === model.seats[at]!.number);
  if (written) place.stored ??= 'rendered';
}

const claim = (at: number, limit: number) =>
  step(
    `${at} claims up to ${limit}`,
    async (model, bench) => {
      const claimable = model.lanes.claimable().map(({ id }) => id);
      const works = await bench.claim(at, limit);
      expect(works.length).to.equal(Math.min(limit, claimable.length));
      for (const { delivery, edition: stored } of works) {
        const place = model.lanes.find(delivery.id);
        expect(claimable).to.include(place.id);
        expect(stored !== null, 'with its edition').to.equal(place.stored !== null);
        model.lanes.take(place, model.seats[at]!.number);
      }
    },
    sits(at),
  );

const write = (at: number, which: number) =>
  step(
    `${at} writes the edition of the ${which}.`,
    (model, bench) => writeIts(model, bench, at, model.pick(which)),
    sitsWithWork(at),
  );

const settle = (at: number, which: number, ends: boolean) =>
  step(
    `${at} ${ends ? 'delivers' : 'queues'} the ${which}.`,
    async (model, bench) => {
      const place = model.pick(which);
      const { store } = bench.seats[at] as Seat;
      const standing = ends ? 'delivered' : 'again';
      const of = settlement(bench.works.get(place.id)!, nextOf(standing));
      const [settled] = await store.settle([of], () => ({ messages: [], step: null }));
      const isOwn = place.owner === model.seats[at]!.number;
      expect(settled?.kind).to.equal(isOwn ? 'settled' : 'fenced');
      if (isOwn) model.lanes.stand(place, standing, false);
    },
    sitsWithWork(at),
  );
