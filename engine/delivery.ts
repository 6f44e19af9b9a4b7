import type { Answer } from './channel.ts';
import { BridgeError } from './errors.ts';
import type { Lane } from './lane.ts';
import type { ChannelName, DeliveryId, EditionId, MessageId, RouteName, SystemName } from './message.ts';
import { delayAfter, type RetryPolicy } from './retry.ts';
import type { Verdicts } from './route.ts';

/**
 * One message on its way down one route: the unit of retry, dead-lettering, audit and replay.
 *
 *   waiting ──head of its lane──▶ queued ──claim──▶ running ──┬──▶ delivered   taken or declined
 *      (behind another)             ▲                         ├──▶ queued      again, later
 *                                   ├──────────replay─────────┼──▶ held        it may have been taken: a person decides
 *                                   │                         └──▶ dead        it cannot succeed
 *                                   └── running of an instance that was lost
 *
 * A held or dead delivery keeps the head of its lane while it blocks.
 */
export type DeliveryState = 'waiting' | 'queued' | 'running' | 'held' | 'dead';
export type DeliveryEnding = 'delivered' | 'given-up' | 'superseded';

/** What an answer means for the delivery. */
export type Verdict = 'taken' | 'declined' | 'later' | 'wrong';

/** Whether a hospital knows a repeat when it sees one; *probe* can be asked instead. */
export type Repeats = 'recognized' | 'probe' | 'unsafe';

export interface Delivery {
  readonly id: DeliveryId;
  readonly message: MessageId;
  readonly route: RouteName;
  readonly channel: ChannelName;
  readonly hospital: SystemName;
  readonly lane: Lane | null;
  /** The edition it is in. Its id is drawn when the delivery, or the edition, begins; its bytes when it is first rendered. */
  readonly edition: EditionId;
  /** Sends of this edition so far, this one included. */
  readonly tries: number;
  /** Of these, the ones a hospital answered with *later*. */
  readonly attempts: number;
  /** An earlier send of this edition may have been taken, and nothing has settled it since. */
  readonly ambiguous: boolean;
  readonly keptAt: Date;
  /** When its time is over. */
  readonly giveUpAt: Date;
}

/** How one attempt came out. */
export type Outcome =
  | { readonly kind: 'answered'; readonly verdict: Verdict; readonly answer: Answer }
  /** `answer` is what came back, if anything did. */
  | { readonly kind: 'failed'; readonly error: BridgeError; readonly answer: Answer | null }
  /** A probe proved that no earlier send was taken. */
  | { readonly kind: 'absent' };

/** Where a delivery stands after an attempt. */
export type Next =
  | { readonly kind: 'ended'; readonly as: DeliveryEnding }
  | {
      readonly kind: 'again';
      readonly dueAt: Date;
      readonly attempts: number;
      readonly ambiguous: boolean;
      readonly error: BridgeError | null;
    }
  | { readonly kind: 'stopped'; readonly state: 'held' | 'dead'; readonly error: BridgeError };

/** What the rules of `next` may look at. */
export interface Rules {
  readonly retry: RetryPolicy;
  readonly repeats: Repeats;
  readonly settleAfterMs: number;
  readonly now: Date;
  /** A number in [0, 1) that spreads what failed together. */
  readonly fraction: number;
}

/** The verdict of an answer: the most particular signal that is listed decides; what is not listed is *wrong*. */
export function judge(answer: Answer, verdicts: Verdicts): Outcome {
  for (const signal of answer.signals) {
    const verdict = verdicts.get(signal);
    if (verdict !== undefined) return { kind: 'answered', verdict, answer };
  }
  const code = answer.otherwise ?? 'answer-unlisted';
  return { kind: 'failed', error: new BridgeError(code, answer.summary), answer };
}

/** Every rule about what follows an attempt. Pure. */
export function next(delivery: Delivery, outcome: Outcome, rules: Rules): Next {
  switch (outcome.kind) {
    case 'answered':
      return afterVerdict(delivery, outcome.verdict, outcome.answer, rules);
    case 'absent':
      return again({ ...delivery, ambiguous: false }, null, 0, rules);
    case 'failed':
      return afterFault(delivery, outcome.error, outcome.answer, rules);
  }
}

function afterVerdict(delivery: Delivery, verdict: Verdict, answer: Answer, rules: Rules): Next {
  switch (verdict) {
    case 'taken':
    case 'declined':
      return { kind: 'ended', as: 'delivered' };
    case 'wrong':
      return { kind: 'stopped', state: 'dead', error: new BridgeError('request-refused', answer.summary) };
    case 'later':
      return afterFault(delivery, new BridgeError('busy', answer.summary), answer, rules);
  }
}

function afterFault(delivery: Delivery, error: BridgeError, answer: Answer | null, rules: Rules): Next {
  const pause = delayAfter(delivery.tries, rules.retry, rules.fraction);
  switch (error.fault) {
    case 'permanent':
      // Without a word of the far side on it, an earlier send may still have been taken.
      return { kind: 'stopped', state: delivery.ambiguous && answer === null ? 'held' : 'dead', error };
    case 'unavailable':
      // The breaker decides when the channel goes on; this only keeps the lane from spinning before it opens.
      return again(delivery, error, Math.min(pause, rules.retry.firstMs), rules);
    case 'transient':
      return again(
        { ...delivery, attempts: delivery.attempts + 1 },
        error,
        Math.max(answer?.retryAfterMs ?? 0, pause),
        rules,
      );
    case 'ambiguous':
      return afterAmbiguous({ ...delivery, ambiguous: true }, error, pause, rules);
  }
}

function afterAmbiguous(delivery: Delivery, error: BridgeError, pause: number, rules: Rules): Next {
  switch (rules.repeats) {
    case 'recognized':
      return again(delivery, error, pause, rules);
    case 'probe':
      return again(delivery, error, Math.max(pause, rules.settleAfterMs), rules);
    case 'unsafe':
      return { kind: 'stopped', state: 'held', error };
  }
}

/** Queues it again, unless its budget is used up: then a person must see it, as held when it may have been taken. */
function again(delivery: Delivery, error: BridgeError | null, pauseMs: number, { retry, now }: Rules): Next {
  const dueAt = new Date(now.getTime() + pauseMs);
  const exhausted =
    delivery.attempts >= retry.attempts
      ? 'attempts-exhausted'
      : dueAt > delivery.giveUpAt
        ? 'time-exhausted'
        : null;
  if (exhausted === null) {
    return { kind: 'again', dueAt, attempts: delivery.attempts, ambiguous: delivery.ambiguous, error };
  }
  const spent = new BridgeError(exhausted, `${delivery.channel} had its last attempt`, { cause: error });
  return delivery.ambiguous
    ? { kind: 'stopped', state: 'held', error: error?.fault === 'ambiguous' ? error : spent }
    : { kind: 'stopped', state: 'dead', error: spent };
}
