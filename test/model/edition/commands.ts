import { expect } from 'chai';
import fc from 'fast-check';
import type { Parcel as SentParcel } from '../../../engine/channel.ts';
import { BridgeError } from '../../../engine/errors.ts';
import type { Work } from '../../../engine/store.ts';
import { Step } from '../step.ts';
import { type Bench, isQuestion, type Reply } from './bench.ts';
import { mayBeNew, mayDo, type Parcel } from './rule.ts';

const AGAIN = { by: 'a person', reason: 'a test', giveUpAt: new Date('2999-01-01T00:00:00Z') };
/** The plan by which what came cannot be read. */
const UNREADABLE = 2;

/** Every delivery by the rule. */
export class Model {
  readonly parcels: Parcel[] = [];

  of(work: Work): Parcel {
    return this.parcels.find(({ id }) => id === work.delivery.id)!;
  }

  stopped(nth: number): Parcel | undefined {
    const stopped = this.parcels.filter(({ stands }) => stands === 'held' || stands === 'dead');
    return stopped[nth % stopped.length];
  }
}

type Command = Step<Model, Bench>;

interface Try {
  readonly by: number;
  readonly plan: number;
  readonly reply: Reply;
  /** What befalls the instance: nothing; another takes the delivery; it freezes early or late; it ends unsettled. */
  readonly fate: 'none' | 'taken' | 'frozen' | 'frozen late' | 'lost';
}

const tried = fc.record<Try>({
  by: fc.nat({ max: 1 }),
  plan: fc.nat({ max: 2 }),
  reply: fc.constantFrom<Reply>(
    'yes',
    'later',
    'wrong',
    'away',
    'silent',
    'silent',
    'silent',
    'has it',
    'has it not',
    'has it not',
  ),
  fate: fc.oneof(
    { weight: 4, arbitrary: fc.constant<Try['fate']>('none') },
    { weight: 4, arbitrary: fc.constantFrom<Try['fate']>('taken', 'frozen', 'frozen late', 'lost') },
  ),
});

/** Everything that befalls editions, one thing after the other; what persons decide too, where they can. */
export function editionCommands(hasPerson: boolean): fc.Arbitrary<Command>[] {
  const nth = fc.nat({ max: 10 });
  return [
    fc.constant(null).map(keep),
    tried.map(attempt),
    tried.map(attempt),
    tried.map(attempt),
    ...(hasPerson
      ? [fc.tuple(nth, fc.boolean()).map(([which, asNew]) => replay(which, asNew)), nth.map(notTaken)]
      : []),
  ];
}

const keep = () =>
  new Step<Model, Bench>('one is kept', async (model, bench) => {
    const id = await bench.keep();
    const base = { fixed: null, spent: new Set<string>(), stands: 'queued', mayBeTaken: false } as const;
    model.parcels.push({ ...base, id, edition: '' as Parcel['edition'] });
  });

function attempt({ by, plan, reply, fate }: Try): Command {
  const words = `${by} tries one by plan ${plan}, ${fate}; the hospital: ${reply}`;
  return new Step(
    words,
    async (model, bench) => {
      const work = await bench.claim(by);
      expect(work !== null).to.equal(true);
      const parcel = model.of(work!);
      expectClaimed(parcel, work!);
      if (fate === 'taken') await bench.store(by).release([work!.delivery.id]);
      let asked = 0;
      const maySend = () => {
        asked += 1;
        return fate !== 'frozen' && (fate !== 'frozen late' || asked < 2);
      };
      const canRender = plan !== UNREADABLE;
      const isOurs = fate !== 'taken';
      const rule = { repeats: bench.repeats, isOurs, maySend: fate === 'none' || fate === 'lost', canRender };
      const does = fate === 'taken' && parcel.fixed !== null ? null : mayDo(parcel, rule);
      const { left, attempted } = await bench.attempt(by, work!, { plan, reply, maySend });
      if (does !== null) expectLeft(parcel, does, reply, left);
      await expectFixed(bench, parcel);
      if (fate === 'taken') return taken(parcel);
      if (fate !== 'none') return lost(bench, by, work!, parcel);
      const { settled, next } = await bench.settle(by, work!, attempted!);
      expect(settled.kind).to.equal('settled');
      parcel.stands = next.kind === 'ended' ? 'ended' : next.kind === 'again' ? 'queued' : next.state;
      parcel.mayBeTaken = next.kind === 'again' ? next.ambiguous : parcel.mayBeTaken;
    },
    ({ parcels }) => parcels.some(({ stands }) => stands === 'queued'),
  );
}

/** Whoever takes a delivery up gets its edition as it was fixed, and a new one without any bytes. */
function expectClaimed(parcel: Parcel, { delivery, edition }: Work): void {
  if (parcel.edition === '') parcel.edition = delivery.edition;
  expect(delivery.edition, 'the edition it is in').to.equal(parcel.edition);
  const stored = edition && { key: edition.key, bytes: Buffer.from(edition.body).toString() };
  expect(stored).to.deep.equal(parcel.fixed);
  expect(delivery.ambiguous).to.equal(parcel.mayBeTaken);
}

function expectLeft(
  parcel: Parcel,
  does: 'send' | 'ask' | 'nothing',
  reply: Reply,
  left: readonly SentParcel[],
): void {
  // Where nobody is there nothing leaves; what would have left is held against the disk all the same.
  expect(left.map((one) => (isQuestion(one) ? 'ask' : 'send'))).to.deep.equal(
    does === 'nothing' || reply === 'away' ? [] : [does],
  );
  for (const { key, body } of left) {
    if (parcel.fixed !== null) expect(key, 'its key').to.equal(parcel.fixed.key);
    if (parcel.fixed !== null && does === 'send')
      expect(Buffer.from(body).toString(), 'its bytes').to.equal(parcel.fixed.bytes);
    expect([...parcel.spent], 'keys of other editions').to.not.include(key);
  }
}

/** What is on disk once stays there as it is; what was not there may have come. */
async function expectFixed({ world }: Bench, parcel: Parcel): Promise<void> {
  const rows = await world.editions(parcel.id);
  const row = rows.find(({ id }) => id === parcel.edition);
  const found = row === undefined ? null : { key: row.key, bytes: Buffer.from(row.body).toString() };
  if (parcel.fixed !== null) expect(found).to.deep.equal(parcel.fixed);
  parcel.fixed = found;
  expect(rows.length, 'editions').to.equal(parcel.spent.size + (found === null ? 0 : 1));
}

/** Another has it: it was given back before anything was tried here. */
function taken(parcel: Parcel): void {
  parcel.mayBeTaken ||= parcel.fixed !== null;
}

/** The instance ends without a word, and what it had is given back. */
async function lost(bench: Bench, by: number, work: Work, parcel: Parcel): Promise<void> {
  expect(await bench.store(by).release([work.delivery.id])).to.equal(1);
  taken(parcel);
}

const replay = (which: number, asNew: boolean) =>
  new Step<Model, Bench>(
    `a person replays the ${which}.${asNew ? ' as new' : ''}`,
    async (model, bench) => {
      const parcel = model.stopped(which)!;
      const how = { ...AGAIN, asNew, outOfOrder: true };
      const may = await allowed(bench.world.person!.replay(parcel.id, how));
      expect(may).to.equal(mayBeNew(parcel, asNew));
      if (!may) return;
      if (parcel.fixed !== null) parcel.spent.add(parcel.fixed.key);
      Object.assign(parcel, { edition: '', fixed: null, stands: 'queued', mayBeTaken: false });
    },
    (model) => model.stopped(which) !== undefined,
  );

const notTaken = (which: number) =>
  new Step<Model, Bench>(
    `a person knows that the ${which}. was not taken`,
    async (model, bench) => {
      const parcel = model.stopped(which)!;
      expect(await allowed(bench.world.person!.notTaken(parcel.id, AGAIN))).to.equal(true);
      Object.assign(parcel, { stands: 'queued', mayBeTaken: false });
    },
    (model) => model.stopped(which) !== undefined,
  );

function allowed(asked: Promise<void>): Promise<boolean> {
  return asked.then(
    () => true,
    (thrown: unknown) => {
      if (thrown instanceof BridgeError && thrown.code === 'not-allowed') return false;
      throw thrown;
    },
  );
}
