import { expect } from 'chai';
import fc from 'fast-check';
import { BridgeError } from '../../../engine/errors.ts';
import type { DeliveryId } from '../../../engine/message.ts';
import type { Settled, Work } from '../../../engine/store.ts';
import { edition, ROUTE } from '../../support/store-conformance.ts';
import { Step } from '../step.ts';
import { type Bench, idsOf, workOf } from './bench.ts';
import { Lanes, type Place, type Standing } from './rule.ts';

const AGAIN = { by: 'a person', reason: 'a test', giveUpAt: new Date('2999-01-01T00:00:00Z') };

/** What the rule says, and the work that was handed out for each delivery last. */
export class Model extends Lanes {
  readonly works = new Map<DeliveryId, Work>();

  /** One of the open deliveries, whichever `nth` falls on. */
  pick(nth: number): Place {
    return this.open[nth % this.open.length]!;
  }

  workOf({ id }: Place): Work {
    return this.works.get(id)!;
  }
}

type Command = Step<Model, Bench>;

const hasOpen = ({ open }: Readonly<Model>) => open.length > 0;

const nth = fc.nat({ max: 30 });
const lane = fc.option(fc.nat({ max: 2 }), { freq: 8 });
const standing = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Standing>('delivered') },
  { weight: 5, arbitrary: fc.constantFrom<Standing>('given-up', 'again', 'unsure', 'later', 'held', 'dead') },
);

interface Added {
  readonly lane: number | null;
  readonly hot: boolean;
}

interface Ended {
  readonly nth: number;
  readonly standing: Standing;
  readonly fence: 'owned' | 'stopped';
  readonly passes: boolean;
  readonly hot: boolean;
}

const added = fc.record<Added>({ lane, hot: fc.boolean() });
const ended = fc.record<Ended>({
  nth,
  standing,
  fence: fc.oneof(
    { weight: 4, arbitrary: fc.constant('owned' as const) },
    { weight: 1, arbitrary: fc.constant('stopped' as const) },
  ),
  passes: fc.boolean(),
  hot: fc.boolean(),
});

/** Everything that workers do to lanes, one after the other; what persons do too, where they can. */
export function laneCommands(workers: number, hasPerson: boolean): fc.Arbitrary<Command>[] {
  const worker = fc.nat({ max: workers - 1 });
  return [
    fc.tuple(worker, fc.array(added, { minLength: 1, maxLength: 4 })).map(([by, rows]) => keep(by, rows)),
    fc.tuple(worker, fc.integer({ min: 0, max: 4 })).map(([by, limit]) => claim(by, limit)),
    fc
      .tuple(worker, fc.array(ended, { minLength: 1, maxLength: 3 }), fc.option(added))
      .map(([by, rows, more]) => settle(by, rows, more)),
    fc.tuple(worker, ended).map(([by, row]) => settleOwn(by, { ...row, fence: 'owned' })),
    fc.tuple(worker, ended).map(([by, row]) => settleOwn(by, { ...row, fence: 'owned' })),
    fc.tuple(worker, nth).map(([by, which]) => write(by, which)),
    fc.tuple(worker, fc.array(nth, { minLength: 1, maxLength: 3 })).map(([by, which]) => release(by, which)),
    ...(hasPerson
      ? [
          fc
            .record({ nth, outOfOrder: fc.boolean(), asNew: fc.boolean() })
            .map((how) => goAgain(how.nth, how)),
          nth.map((which) => goAgain(which, null)),
        ]
      : []),
  ];
}

function keep(by: number, rows: readonly Added[]): Command {
  return new Step(`worker ${by} keeps ${said(rows)}`, async (model, bench) => {
    const batch = rows.map((row) => ({ ...row, keeping: bench.arrival(row.lane) }));
    const kept = await bench.store(by).keep(
      batch.map(({ keeping }) => keeping),
      (one) =>
        bench.oneDelivery(one, batch.find(({ keeping }) => keeping.message.id === one.message.id)!.hot),
    );
    batch.forEach((row, at) => {
      const one = kept[at]!;
      if (one.kind !== 'accepted') throw new TypeError(`it was ${one.kind}`);
      const [delivery] = one.consequences.messages[0]!.deliveries;
      const place = model.keep(delivery!.id, row.lane, row.hot ? by : null);
      model.works.set(place.id, workOf(row.keeping, delivery!));
      expect(one.running.has(place.id), 'handed over hot').to.equal(place.state === 'running');
    });
    await bench.expectAsIn(model);
  });
}

function claim(by: number, limit: number): Command {
  return new Step(`worker ${by} claims up to ${limit}`, async (model, bench) => {
    const works = await bench.store(by).claim(bench.channel, [ROUTE], limit);
    const claimable = model.claimable();
    expect(works.length).to.equal(Math.min(limit, claimable.length));
    expect(claimable.map(({ id }) => id)).to.include.members(idsOf(works));
    handOut(model, by, works);
    await bench.expectAsIn(model);
  });
}

function settle(by: number, rows: readonly Ended[], more: Added | null): Command {
  const words = `worker ${by} settles ${said(rows)}, adding ${said(more)}`;
  return new Step(
    words,
    async (model, bench) => {
      const batch = rows.map((row) => ({ ...row, place: model.pick(row.nth) }));
      const adding = more === null ? null : { ...more, keeping: bench.arrival(more.lane) };
      const settlements = batch.map(({ place, standing, fence, passes, hot }) => {
        const onDead = passes ? ('continue' as const) : ('block' as const);
        const lanes = adding === null ? [] : bench.lanesOf(adding.lane);
        const how = { fence, onDead, promoteHot: hot, lanes };
        return bench.settlement(place, model.workOf(place), standing, how);
      });
      const [first] = settlements;
      const settled = await bench.store(by).settle(
        settlements.map(({ settlement }) => settlement),
        (one) =>
          one.attempt.id === first!.settlement.attempt.id && adding !== null
            ? bench.oneDelivery(adding.keeping, adding.hot)
            : first!.nothing(),
      );
      expectSettled(model, by, batch, settled);
      const [result] = settled;
      if (adding !== null && result?.kind === 'settled') {
        const [delivery] = result.consequences.messages[0]!.deliveries;
        const place = model.keep(delivery!.id, adding.lane, adding.hot ? by : null);
        model.works.set(place.id, workOf(adding.keeping, delivery!));
        expect(result.running.has(place.id), 'added hot').to.equal(place.state === 'running');
      }
      await bench.expectAsIn(model);
    },
    hasOpen,
  );
}

/** All of the batch leave their places first; only then does the next of each lane follow. */
function expectSettled(
  model: Model,
  by: number,
  batch: readonly (Ended & { readonly place: Place })[],
  settled: readonly Settled[],
): void {
  const done = new Set<Place>();
  const closing = batch.map(({ place, standing, fence, passes }) => {
    const isStopped = place.state === 'held' || place.state === 'dead';
    const may = !done.has(place) && (fence === 'owned' ? place.owner === by : isStopped);
    if (!may) return null;
    done.add(place);
    return model.stand(place, standing, passes);
  });
  batch.forEach(({ place, hot }, at) => {
    const closes = closing[at]!;
    const result = settled[at]!;
    expect(result.kind).to.equal(closes === null ? 'fenced' : 'settled');
    const next = closes ? model.promote(place.lane, hot ? by : null) : null;
    const promoted = result.kind === 'settled' ? result.promoted : null;
    expect(promoted?.delivery.id, 'promoted').to.equal(next?.owner === by ? next.id : undefined);
    if (promoted !== null) model.works.set(promoted.delivery.id, promoted);
  });
}

/** The common case, so that lanes move at all. */
function settleOwn(by: number, row: Ended): Command {
  return new Step(
    `worker ${by} settles ${said(row)} of its own`,
    async (model, bench) => {
      const own = model.open.filter(({ owner }) => owner === by);
      const place = own[row.nth % own.length]!;
      const how = { onDead: row.passes ? ('continue' as const) : ('block' as const), promoteHot: row.hot };
      const { settlement, nothing } = bench.settlement(place, model.workOf(place), row.standing, how);
      const settled = await bench.store(by).settle([settlement], nothing);
      expectSettled(model, by, [{ ...row, place }], settled);
      await bench.expectAsIn(model);
    },
    ({ open }) => open.some(({ owner }) => owner === by),
  );
}

/** Writes it twice, with other bytes the second time: what was first stays. */
function write(by: number, which: number): Command {
  return new Step(
    `worker ${by} writes the edition of the ${which}.`,
    async (model, bench) => {
      const place = model.pick(which);
      const work = model.workOf(place);
      for (const bytes of [`the ${which}. by ${by}`, 'something else']) {
        const [written] = await bench.store(by).writeEditions([edition(work, bytes)]);
        expect(written).to.equal(place.owner === by);
        if (written) place.stored ??= bytes;
      }
      const rows = await bench.world.editions(place.id);
      const row = rows.find(({ id }) => id === work.delivery.edition);
      if (place.owner === by) expect(Buffer.from(row?.body ?? []).toString()).to.equal(place.stored);
    },
    hasOpen,
  );
}

function release(by: number, which: readonly number[]): Command {
  return new Step(
    `worker ${by} gives back ${said(which)}`,
    async (model, bench) => {
      const places = [...new Set(which.map((one) => model.pick(one)))];
      const own = places.filter(({ owner }) => owner === by);
      expect(await bench.store(by).release(places.map(({ id }) => id))).to.equal(own.length);
      for (const place of own) model.giveBack(place);
      await bench.expectAsIn(model);
    },
    hasOpen,
  );
}

interface Again {
  readonly outOfOrder: boolean;
  readonly asNew: boolean;
}

/** A person lets one go again: as something new, or as not taken where `how` is null. */
function goAgain(which: number, how: Again | null): Command {
  return new Step(
    `a person lets the ${which}. go again, ${how === null ? 'as not taken' : said(how)}`,
    async (model, bench) => {
      // Mostly of one that stands still: of others it is refused.
      const stopped = model.open.filter(({ state }) => state === 'held' || state === 'dead');
      const place =
        which % 5 === 0 ? model.pick(which) : (stopped[which % stopped.length] ?? model.pick(which));
      const { person } = bench.world;
      const asked =
        how === null ? person!.notTaken(place.id, AGAIN) : person!.replay(place.id, { ...AGAIN, ...how });
      const went = await asked.then(
        () => true,
        (thrown: unknown) => {
          if (thrown instanceof BridgeError && thrown.code === 'not-allowed') return false;
          throw thrown;
        },
      );
      const isStopped = place.state === 'held' || place.state === 'dead';
      const mayBeTaken = place.state === 'held' && how !== null && !how.asNew;
      const may = isStopped && !mayBeTaken && (how?.outOfOrder || !model.newerGone(place));
      expect(went).to.equal(may);
      if (may) model.goAgain(place, how !== null);
      await bench.expectAsIn(model);
    },
    hasOpen,
  );
}

function handOut(model: Model, by: number, works: readonly Work[]): void {
  for (const work of works) {
    const { id, message } = work.delivery;
    const place = model.find(id);
    model.take(place, by);
    expect(message, 'its own message').to.equal(model.workOf(place).delivery.message);
    const bytes = work.edition && Buffer.from(work.edition.body).toString();
    expect(bytes, 'with its edition').to.equal(place.stored);
    model.works.set(id, work);
  }
}

function said(value: unknown): string {
  return JSON.stringify(value).replaceAll('"', '');
}
