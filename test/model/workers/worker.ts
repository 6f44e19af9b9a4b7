import { expect } from 'chai';
import type { DeliveryId } from '../../../engine/message.ts';
import type { Keeping, Membership, Settlement, Store, Work } from '../../../engine/store.ts';
import { edition, ROUTE, settlement } from '../../support/store-conformance.ts';
import { workOf } from '../lane/bench.ts';
import { nextOf } from '../lane/next.ts';
import { follow, message, type Run } from './conversation.ts';
import type { Arriving, Deed, Ending } from './script.ts';

const REPORT = { plan: 'plan-1', honours: 1, graceMs: 1_000 };
const ENDS_WELL: Ending = { standing: 'delivered', passes: false, hot: true, answer: null };

/** Lets the last beat of an instance be as old as if it had been frozen for long. */
type Stall = (instance: string) => Promise<unknown>;

/** One instance at work: does what its script says, and tells the facts of its run what it saw. */
export class Worker {
  readonly #number: number;
  readonly #store: Store;
  readonly #stall: Stall;
  #member: Membership;
  #hands: Work[] = [];
  /** What could not be given back, because somebody else was just looking at it. */
  readonly #kept: DeliveryId[] = [];
  /** It cannot prove that it lives, so it sends nothing; what it still writes is for the store to refuse. */
  #stalls = false;

  private constructor(number: number, store: Store, member: Membership, stall: Stall) {
    this.#number = number;
    this.#store = store;
    this.#member = member;
    this.#stall = stall;
  }

  static async hire(number: number, store: Store, stall: Stall): Promise<Worker> {
    const member = await store.join();
    await member.beat(REPORT);
    return new Worker(number, store, member, stall);
  }

  async follow(run: Run, script: readonly Deed[]): Promise<void> {
    for (const deed of script) {
      // While one stalls the others notice, and take what it had.
      if (run.facts.stalled.size > 0 && !this.#stalls) {
        await this.beat(run);
        await this.#claim(run, 3);
      }
      await this.#do(run, deed);
    }
  }

  /** Ends all it has in hand, and what comes to it then. One that stalled looks first whether it still lives. */
  async finish(run: Run): Promise<void> {
    if (this.#stalls) await this.beat(run);
    // As an engine looks again at what is its own and not in its memory.
    await this.#store.release(this.#kept.splice(0));
    while (this.#hands.length > 0)
      await this.#send(
        run,
        this.#hands.map(() => ENDS_WELL),
      );
  }

  /** Ends all that there is, until there is nothing more. */
  async clear(run: Run): Promise<void> {
    do {
      await this.finish(run);
      await this.#claim(run, 50);
    } while (this.#hands.length > 0);
  }

  /** Beats; one that was declared lost drops all it has and joins anew. */
  async beat(run: Run): Promise<void> {
    if ((await this.#member.beat(REPORT)) === null) {
      for (const work of this.#hands) run.facts.unsure(this.#number, work.delivery.id);
      this.#hands = [];
      this.#member = await this.#store.join();
      await this.#member.beat(REPORT);
    }
    this.#stalls = false;
    run.facts.stalled.delete(this.#number);
    for (const { bookingRef } of this.#hands) run.facts.hold(this.#number, bookingRef ?? '-');
  }

  async leave(): Promise<void> {
    await this.#member.leave();
    await this.#store.close();
  }

  async #do(run: Run, deed: Deed): Promise<void> {
    switch (deed.does) {
      case 'keep':
        return this.#keep(run, deed.arrivals, deed.hot);
      case 'claim':
        return this.#claim(run, deed.limit);
      case 'send':
        return this.#send(run, deed.ends);
      case 'write':
        return this.#write(run, this.#hands.slice(0, 2)).then(() => undefined);
      case 'release':
        return this.#release(run);
      case 'decide':
        return this.#decide(run);
      case 'stall':
        return this.#freeze(run);
      case 'beat':
        return this.beat(run);
    }
  }

  async #keep(run: Run, arrivals: readonly Arriving[], hot: boolean): Promise<void> {
    const batch = arrivals.map((one) => ({ ...one, keeping: message(run, one.saying, one.repeat) }));
    const of = ({ message: { id } }: Keeping) => batch.find(({ keeping }) => keeping.message.id === id)!;
    const before = run.facts.onDisk();
    const kept = await this.#store.keep(
      batch.map(({ keeping }) => keeping),
      (one, booking) => follow(run, of(one).saying, one, booking, hot),
    );
    kept.forEach((one, at) => {
      const { keeping, repeat } = batch[at]!;
      run.facts.kept(repeat === null ? null : `${repeat.id}`, one);
      if (one.kind !== 'accepted') return;
      for (const added of one.consequences.messages[0]!.deliveries)
        if (one.running.has(added.id)) this.#take(run, workOf(keeping, added), before);
    });
  }

  async #claim(run: Run, limit: number): Promise<void> {
    const before = run.facts.onDisk();
    const works = await this.#store.claim(run.channel, [ROUTE], limit);
    for (const work of works) this.#take(run, work, before);
  }

  #take(run: Run, work: Work, before: ReturnType<Run['facts']['onDisk']>): void {
    run.facts.handed(this.#number, work, before, this.#stalls);
    this.#hands.push(work);
  }

  /** Puts editions on disk; with other bytes each time, as other plans would render them. */
  async #write(run: Run, works: readonly Work[]): Promise<readonly boolean[]> {
    const bytes = works.map(({ edition: stored }) =>
      stored === null ? `by ${this.#number}` : Buffer.from(stored.body).toString(),
    );
    const written = await this.#store.writeEditions(works.map((work, at) => edition(work, bytes[at])));
    works.forEach((work, at) => {
      if (written[at] && work.edition === null) run.facts.written(work, bytes[at]!);
    });
    return written;
  }

  /** Sends as many as there are endings, and settles them as one batch. */
  async #send(run: Run, ends: readonly Ending[]): Promise<void> {
    const works = this.#hands.splice(0, ends.length);
    const written = await this.#write(run, works);
    for (const { bookingRef } of works) run.facts.letGo(this.#number, bookingRef ?? '-');
    const batch = works.map((work, at) => this.#settlement(run, work, ends[at]!));
    for (const { settlement } of batch) run.facts.settles(settlement);
    const before = run.facts.onDisk();
    const settled = await this.#store.settle(
      batch.map(({ settlement }) => settlement),
      (one, booking) => {
        const { answer, said, hot } = batch.find(
          ({ settlement }) => settlement.attempt.id === one.attempt.id,
        )!;
        return answer === null ? { messages: [], step: null } : follow(run, said!, answer, booking, hot);
      },
    );
    settled.forEach((one, at) => {
      const { settlement, answer } = batch[at]!;
      run.facts.settledAs(settlement, one);
      if (!written[at]) expect(one.kind, 'after an edition that was not ours to write').to.equal('fenced');
      if (one.kind !== 'settled') return;
      if (one.promoted !== null) this.#take(run, one.promoted, before);
      for (const added of one.consequences.messages[0]?.deliveries ?? [])
        if (one.running.has(added.id)) this.#take(run, workOf(answer!, added), before);
    });
  }

  #settlement(run: Run, work: Work, { standing, passes, hot, answer: said }: Ending) {
    const answer = said === null ? null : message(run, said);
    const more: Partial<Settlement> = {
      onDead: passes ? 'continue' : 'block',
      promoteHot: hot,
      ...(answer === null ? {} : { booking: answer.booking, lanes: answer.lanes }),
    };
    return { settlement: settlement(work, nextOf(standing), more), answer, said, hot };
  }

  async #release(run: Run): Promise<void> {
    const work = this.#hands.shift();
    if (work === undefined) return;
    run.facts.unsure(this.#number, work.delivery.id);
    run.facts.letGo(this.#number, work.bookingRef ?? '-');
    const given = await this.#store.release([work.delivery.id]);
    if (given === 0) this.#kept.push(work.delivery.id);
  }

  /** A person says of the one that stands still the longest that it was delivered. */
  async #decide(run: Run): Promise<void> {
    const [stopped] = run.facts.stopped;
    const work = stopped === undefined ? undefined : run.facts.works.get(stopped);
    if (stopped === undefined || work === undefined) return;
    run.facts.stopped.delete(stopped);
    const of = settlement(work, nextOf('delivered'), { fence: 'stopped', promoteHot: true });
    const before = run.facts.onDisk();
    run.facts.settles(of);
    const [settled] = await this.#store.settle([of], () => ({ messages: [], step: null }));
    run.facts.settledAs(of, settled!);
    if (settled?.kind === 'settled' && settled.promoted !== null) this.#take(run, settled.promoted, before);
  }

  /** It stops sending before its beat is old, as the clock of its process would make it. */
  async #freeze(run: Run): Promise<void> {
    this.#stalls = true;
    for (const { delivery, bookingRef } of this.#hands) {
      run.facts.letGo(this.#number, bookingRef ?? '-');
      run.facts.unsure(this.#number, delivery.id);
    }
    await this.#stall(this.#member.id);
    run.facts.stalled.add(this.#number);
  }
}
