import { expect } from 'chai';
import type { Answer } from '../../engine/channel.ts';
import { type Delivery, judge, next, type Outcome, type Repeats, type Rules } from '../../engine/delivery.ts';
import { BridgeError, type ErrorCode } from '../../engine/errors.ts';
import type {
  ChannelName,
  DeliveryId,
  EditionId,
  MessageId,
  RouteName,
  SystemName,
} from '../../engine/message.ts';
import { DEFAULT_RETRY } from '../../engine/retry.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const ANSWER: Answer = {
  signals: [],
  otherwise: null,
  retryAfterMs: null,
  summary: 'said something',
  body: new Uint8Array(),
};

const failed = (code: ErrorCode, answer: Answer | null = null): Outcome => ({
  kind: 'failed',
  error: new BridgeError(code, code),
  answer,
});

describe('delivery', () => {
  const verdicts = [
    {
      outcome: { kind: 'answered', verdict: 'taken', answer: ANSWER },
      becomes: 'delivered',
      because: 'it has it',
    },
    {
      outcome: { kind: 'answered', verdict: 'declined', answer: ANSWER },
      becomes: 'delivered',
      because: 'an ordinary no is an answer',
    },
    {
      outcome: { kind: 'answered', verdict: 'wrong', answer: ANSWER },
      becomes: 'dead',
      because: 'no attempt can succeed',
    },
    {
      outcome: { kind: 'answered', verdict: 'later', answer: ANSWER },
      becomes: 'again',
      because: 'it may take it later',
    },
    { outcome: failed('connection-failed'), becomes: 'again', because: 'nothing was sent' },
    { outcome: failed('answer-unlisted', ANSWER), becomes: 'dead', because: 'what is not listed is wrong' },
    { outcome: failed('render-failed'), becomes: 'dead', because: 'the template will not change by itself' },
  ] as const satisfies readonly { outcome: Outcome; becomes: string; because: string }[];

  for (const { outcome, becomes, because } of verdicts) {
    const name =
      outcome.kind === 'answered' ? outcome.verdict : outcome.kind === 'failed' ? outcome.error.code : '';
    it(`is ${becomes} after ${name}: ${because}`, () => {
      const standing = next(aDelivery(), outcome, rules());

      expect(wordOf(standing)).to.equal(becomes);
    });
  }

  const repeats: readonly { repeats: Repeats; becomes: string }[] = [
    { repeats: 'recognized', becomes: 'again' },
    { repeats: 'probe', becomes: 'again' },
    { repeats: 'unsafe', becomes: 'held' },
  ];
  for (const { repeats: word, becomes } of repeats) {
    it(`is ${becomes} after an unknown outcome where repeats are ${word}`, () => {
      const standing = next(aDelivery(), failed('answer-timeout'), rules({ repeats: word }));

      expect(wordOf(standing)).to.equal(becomes);
    });
  }

  it('remembers that it may have been taken until something settles it', () => {
    const unknown = next(aDelivery(), failed('connection-reset'), rules({ repeats: 'recognized' }));
    const away = next(
      aDelivery({ ambiguous: true }),
      failed('connection-failed'),
      rules({ repeats: 'recognized' }),
    );
    const absent = next(aDelivery({ ambiguous: true }), { kind: 'absent' }, rules({ repeats: 'probe' }));

    expect(
      [unknown, away, absent].map((standing) => standing.kind === 'again' && standing.ambiguous),
    ).to.deep.equal([true, true, false]);
  });

  it('waits at least settleAfter before it asks a hospital that must be asked', () => {
    const standing = next(
      aDelivery(),
      failed('answer-timeout'),
      rules({ repeats: 'probe', settleAfterMs: 30_000 }),
    );

    expect(standing.kind === 'again' && standing.dueAt.getTime() - NOW.getTime()).to.equal(30_000);
  });

  it('counts only the attempts a hospital put off', () => {
    const put = next(
      aDelivery({ attempts: 3 }),
      { kind: 'answered', verdict: 'later', answer: ANSWER },
      rules(),
    );
    const away = next(aDelivery({ attempts: 3 }), failed('connection-failed'), rules());
    const unknown = next(
      aDelivery({ attempts: 3 }),
      failed('server-failed'),
      rules({ repeats: 'recognized' }),
    );

    expect(
      [put, away, unknown].map((standing) => standing.kind === 'again' && standing.attempts),
    ).to.deep.equal([4, 3, 3]);
  });

  it('waits as long as the hospital asks', () => {
    const busy = { ...ANSWER, retryAfterMs: 90_000 };
    const standing = next(aDelivery(), { kind: 'answered', verdict: 'later', answer: busy }, rules());

    expect(standing.kind === 'again' && standing.dueAt.getTime() - NOW.getTime()).to.equal(90_000);
  });

  it('is dead when its attempts are used up, and held when one of them may have been taken', () => {
    const later: Outcome = { kind: 'answered', verdict: 'later', answer: ANSWER };

    expect(wordOf(next(aDelivery({ attempts: 7 }), later, rules()))).to.equal('dead');
    expect(wordOf(next(aDelivery({ attempts: 7, ambiguous: true }), later, rules()))).to.equal('held');
  });

  it('gives up when its time is over, whatever kept it', () => {
    const late = aDelivery({ giveUpAt: NOW });

    expect(wordOf(next(late, failed('connection-failed'), rules()))).to.equal('dead');
    expect(wordOf(next(late, failed('answer-timeout'), rules({ repeats: 'recognized' })))).to.equal('held');
    expect(wordOf(next({ ...late, ambiguous: true }, failed('time-exhausted'), rules()))).to.equal('held');
  });

  it('takes the most particular signal that is listed, and calls the rest wrong', () => {
    const listed = new Map([
      ['409/SLOT_TAKEN', 'declined'],
      ['409', 'wrong'],
    ] as const);
    const verdictOf = (...signals: string[]) => {
      const outcome = judge({ ...ANSWER, signals }, listed);
      return outcome.kind === 'answered'
        ? outcome.verdict
        : outcome.kind === 'failed'
          ? outcome.error.code
          : outcome.kind;
    };

    expect(verdictOf('409/SLOT_TAKEN', '409')).to.equal('declined');
    expect(verdictOf('409/OTHER', '409')).to.equal('wrong');
    expect(verdictOf('299')).to.equal('answer-unlisted');
  });
});

function aDelivery(changes: Partial<Delivery> = {}): Delivery {
  return {
    id: 'd' as DeliveryId,
    message: 'm' as MessageId,
    route: 'to-alnoor' as RouteName,
    channel: 'alnoor-out' as ChannelName,
    hospital: 'alnoor' as SystemName,
    lane: null,
    edition: 'e' as EditionId,
    tries: 1,
    attempts: 0,
    ambiguous: false,
    keptAt: NOW,
    giveUpAt: new Date(NOW.getTime() + 86_400_000),
    ...changes,
  };
}

function rules(changes: Partial<Rules> = {}): Rules {
  return { retry: DEFAULT_RETRY, repeats: 'unsafe', settleAfterMs: 0, now: NOW, fraction: 0.5, ...changes };
}

function wordOf(standing: ReturnType<typeof next>): string {
  return standing.kind === 'ended' ? standing.as : standing.kind === 'again' ? 'again' : standing.state;
}
