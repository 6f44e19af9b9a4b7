import { type Attempted, editionKey } from './attempt.ts';
import { Batcher } from './batch.ts';
import type { Booking, Desk } from './booking.ts';
import type { Clock } from './clock.ts';
import {
  bookingSearch,
  type Deciding,
  deadLetter,
  fromAnswer,
  type Known,
  refusal,
  type Said,
} from './consequences.ts';
import type { Next, Outcome } from './delivery.ts';
import { BridgeError } from './errors.ts';
import { failpoint } from './failpoint.ts';
import type { Digest } from './lane.ts';
import { type Message, newId } from './message.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import type { Route } from './route.ts';
import type { HandOver } from './slots.ts';
import type { Attempt, Consequences, Settled, Settlement, Store, Work } from './store.ts';
import { emitStep, type Telemetry } from './telemetry.ts';

const AGAIN_MS = 1_000;

export interface SettlerParts {
  readonly plan: () => Plan;
  readonly desk: Desk;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly telemetry: Telemetry;
  readonly handOver: HandOver;
  /** Aborted when the engine stops: then a lost store is not waited for. */
  readonly stopping: AbortSignal;
}

/** One attempt that is over, and where its delivery stands now. */
export interface Ended {
  readonly work: Work;
  readonly attempted: Attempted;
  readonly next: Next;
  readonly route: Route | null;
  readonly startedAt: Date;
  /** The slot of this delivery may be handed to the next of its lane. */
  readonly promoteHot: boolean;
  /** Set when a person decided, on a delivery that stood still. */
  readonly audit: Settlement['audit'];
}

/** One settlement on its way, with what its answer says. */
interface Entry {
  readonly settlement: Settlement;
  readonly ended: Ended;
  readonly known: Known;
  readonly answer: Heard | null;
}

type Heard =
  | { readonly kind: 'said'; readonly known: Known; readonly said: Said }
  | { readonly kind: 'refused'; readonly known: Known; readonly error: BridgeError };

/**
 * Records how attempts came out, with all that follows: the answer as a message, the step of its
 * booking, what Dawy hears, and the next of the lane. Reading an answer never fails a settlement.
 */
export class Settler {
  readonly #parts: SettlerParts;
  readonly #settling: Batcher<Entry, Settled>;

  constructor(parts: SettlerParts) {
    this.#parts = parts;
    this.#settling = new Batcher((entries) => this.#settle(entries), parts.clock);
  }

  /**
   * Resolves once it is on disk, with the next of the lane when that became ours. While the store is away it
   * waits: a known answer is worth more than asking again. Whoever took the delivery over meanwhile fences it.
   */
  async settle(ended: Ended): Promise<{ readonly kind: Settled['kind']; readonly promoted: Work | null }> {
    failpoint('M10');
    const entry = this.#entry(ended);
    const settled = await this.#patiently(() => this.#settling.add(entry));
    failpoint('M11');
    this.#emit(entry, settled);
    return { kind: settled.kind, promoted: settled.kind === 'settled' ? settled.promoted : null };
  }

  idle(): Promise<void> {
    return this.#settling.idle();
  }

  async #patiently<Result>(settle: () => Promise<Result>): Promise<Result> {
    const { store, clock, stopping } = this.#parts;
    for (let failed = 0; ; failed += 1) {
      // A store that takes a probe and still not this, for want of disk say, is not asked without a pause.
      if (failed > 1) await clock.sleep(AGAIN_MS, stopping);
      try {
        return await settle();
      } catch (thrown) {
        const isAway = thrown instanceof BridgeError && thrown.code === 'store-unavailable';
        if (!isAway || stopping.aborted) throw thrown;
      }
      await store.ready(stopping);
    }
  }

  #entry(ended: Ended): Entry {
    const { digest } = this.#parts;
    const { work, attempted, next, route, promoteHot, audit } = ended;
    const known: Known = {
      raw: work.message,
      decoded: attempted.decoded,
      booking: work.bookingRef,
      search: bookingSearch(work.bookingRef),
    };
    const settlement: Settlement = {
      delivery: work.delivery,
      next,
      onDead: route?.onDead ?? 'block',
      attempt: this.#attempt(ended),
      booking: work.bookingRef,
      lanes: work.bookingRef === null ? [] : [digest.lane(work.bookingRef)],
      fence: audit === null ? 'owned' : 'stopped',
      audit,
      promoteHot,
    };
    return { settlement, ended, known, answer: this.#hear(ended) };
  }

  #attempt({ work, attempted, startedAt }: Ended): Attempt {
    const { clock, random, plan } = this.#parts;
    const answer = answerOf(attempted.outcome);
    return {
      id: newId(clock, random),
      kind: attempted.kind,
      no: work.delivery.tries,
      startedAt,
      endedAt: clock.now(),
      outcome: wordOf(attempted.outcome),
      summary:
        answer?.summary ?? (attempted.outcome.kind === 'failed' ? attempted.outcome.error.message : ''),
      response: answer?.body ?? null,
      plan: plan().hash,
    };
  }

  /** What the answer says, as a message of its own; null when it says nothing beyond its verdict. */
  #hear({ work, attempted, next, route }: Ended): Heard | null {
    const { outcome, decoded, facts } = attempted;
    if (outcome.kind !== 'answered' || next.kind !== 'ended' || !route?.readAnswer) return null;
    const reading = route.readAnswer(outcome.answer.body, decoded, facts);
    if (reading.kind === 'means' && reading.event === null) return null;

    const { clock, random } = this.#parts;
    const { correlation, hospital, id } = work.message;
    const raw: Message<Uint8Array> = {
      id: newId(clock, random),
      correlation,
      cause: id,
      channel: work.delivery.channel,
      type: reading.kind === 'means' ? (reading.event ?? '-') : '-',
      hospital,
      headers: {},
      form: 'bytes',
      body: outcome.answer.body,
      receivedAt: clock.now(),
    };
    const key = { name: 'key', value: facts.edition.key, private: false };
    const known: Known = {
      raw,
      decoded: raw,
      booking: work.bookingRef,
      search: [...bookingSearch(work.bookingRef), key],
    };
    if (reading.kind === 'refused') return { kind: 'refused', known, error: reading.error };
    const said: Said = { kind: 'report', type: raw.type, learnt: reading.learnt, asked: work.message.type };
    return { kind: 'said', known, said };
  }

  async #settle(entries: readonly Entry[]): Promise<readonly Settled[]> {
    const { store, handOver } = this.#parts;
    const byAttempt = new Map(entries.map((entry) => [entry.settlement.attempt.id, entry]));
    const reservation = handOver.reservation();
    try {
      const settled = await store.settle(
        entries.map(({ settlement }) => settlement),
        ({ attempt }, booking) => {
          reservation.restart(attempt.id);
          const deciding = this.#deciding((channel) => reservation.take(channel, attempt.id));
          return decide(byAttempt.get(attempt.id) as Entry, booking, deciding);
        },
      );
      settled.forEach((result, at) => {
        const by = entries[at]?.settlement.attempt.id;
        if (result.kind === 'settled' && by !== undefined)
          reservation.dispatch(by, result.consequences, result.running, null);
      });
      return settled;
    } finally {
      reservation.close();
    }
  }

  #deciding(reserve: Deciding['reserve']): Deciding {
    const { plan, desk, digest, clock, random } = this.#parts;
    return { plan: plan(), desk, digest, clock, random, reserve };
  }

  #emit({ settlement, ended }: Entry, settled: Settled): void {
    const { telemetry } = this.#parts;
    const { id, message, route, channel, hospital, tries } = settlement.delivery;
    if (settled.kind === 'fenced') {
      telemetry.emit({ kind: 'settle-fenced', id, route, channel });
      return;
    }
    const { next, attempt, booking } = settlement;
    const tookMs = attempt.endedAt.getTime() - attempt.startedAt.getTime();
    const state = next.kind === 'ended' ? next.as : next.kind === 'again' ? 'queued' : next.state;
    const error = next.kind === 'ended' ? null : (next.error?.code ?? null);
    const { type } = ended.work.message;
    telemetry.emit({
      kind: 'delivery-settled',
      id,
      message,
      route,
      channel,
      hospital,
      booking,
      type,
      state,
      tries,
      tookMs,
      error,
    });
    emitStep(telemetry, settled.consequences.step);
  }
}

/** The end of a delivery whose route nobody has any more: it stops as dead, and its lane with it. */
export function routeGone(work: Work, startedAt: Date): Ended {
  const { route, channel } = work.delivery;
  const error = new BridgeError('route-gone', `no running engine has the route ${route} to ${channel}`);
  const facts = {
    booking: null,
    edition: { key: editionKey(work.delivery.edition) },
    system: { name: work.delivery.hospital, timeZone: null },
  };
  const attempted: Attempted = {
    outcome: { kind: 'failed', error, answer: null },
    kind: 'render',
    facts,
    decoded: work.message,
  };
  const state = work.delivery.ambiguous ? 'held' : 'dead';
  return {
    work,
    attempted,
    next: { kind: 'stopped', state, error },
    route: null,
    startedAt,
    promoteHot: false,
    audit: null,
  };
}

/** What follows from a settlement: what its answer says, and the notice that it stands still. Pure. */
function decide({ ended, known, answer }: Entry, booking: Booking | null, deciding: Deciding): Consequences {
  const notices = deadLetter(ended.work.delivery, known, ended.next, deciding);
  if (answer === null) return { messages: notices, step: null };
  const heard =
    answer.kind === 'said'
      ? fromAnswer(answer.known, answer.said, booking, deciding)
      : refusal(answer.known, answer.error, deciding);
  return { messages: [...heard.messages, ...notices], step: heard.step };
}

function answerOf(outcome: Outcome) {
  return outcome.kind === 'absent' ? null : outcome.answer;
}

function wordOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'answered':
      return outcome.verdict;
    case 'absent':
      return 'absent';
    case 'failed':
      return outcome.error.code;
  }
}
