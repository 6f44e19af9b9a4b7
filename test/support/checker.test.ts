import { expect } from 'chai';
import type { JournalLine } from '../../sandbox/hospitals/journal.ts';
import {
  check,
  type DawyEvent,
  type Evidence,
  type Findings,
  type Published,
  sentence,
} from '../crash/checker.ts';

const EIGHT = '2026-12-02T08:00:00+03:00';
const NINE = '2026-12-02T09:00:00+03:00';
const TEN = '2026-12-02T10:00:00+03:00';
const REQUESTED = 'booking.requested';
const MOVE = 'booking.reschedule-requested';
const CANCEL = 'booking.cancel-requested';

function asked(order: number, type = REQUESTED, change: Partial<Published> = {}): Published {
  return { reference: 'BK-1', hospital: 'alnoor', type, messageId: `m-${order}`, order, ...change };
}

const OPERATIONS = { booked: 'book', moved: 'move', cancelled: 'cancel' } as const;

function did(seq: number, effect: keyof typeof OPERATIONS, change: Partial<JournalLine> = {}): JournalLine {
  return {
    seq,
    at: '2026-12-01T00:00:00Z',
    key: `key-${seq}`,
    operation: OPERATIONS[effect],
    reference: 'BK-1',
    hospitalRef: 'AN-000001',
    effect,
    answer: '201',
    start: EIGHT,
    doctor: 'DR-881',
    ...change,
  };
}

function declined(seq: number, change: Partial<JournalLine> = {}): JournalLine {
  return did(seq, 'booked', { effect: 'none', answer: '409 SLOT_TAKEN', hospitalRef: null, ...change });
}

function told(type: string, id = `e-${type}`, subject = 'BK-1'): DawyEvent {
  return { id, type, subject, data: {} };
}

function judged(evidence: Partial<Evidence>): Findings {
  return check({ published: [], journals: {}, events: [], held: [], refused: [], ...evidence });
}

/** The kinds of violation found, and how many of each. */
function kinds({ summary, ...found }: Findings): Record<string, number> {
  const some = Object.entries(found).filter(([, violations]) => violations.length > 0);
  expect(summary.ok).to.equal(some.length === 0);
  return Object.fromEntries(some.map(([kind, violations]) => [kind, violations.length]));
}

const confirmed = told('booking.confirmed');
const rejected = told('booking.rejected');

describe('the checker of outside truth', () => {
  const sound: readonly (readonly [string, Partial<Evidence>])[] = [
    ['nothing at all', {}],
    [
      'a whole life: booked, moved twice, cancelled',
      {
        published: [
          asked(1, REQUESTED, { start: EIGHT }),
          asked(2, MOVE, { start: NINE }),
          asked(3, MOVE, { start: TEN }),
          asked(4, CANCEL),
        ],
        journals: {
          alnoor: [
            did(1, 'booked'),
            did(2, 'moved', { start: NINE }),
            did(3, 'moved', { start: '2026-12-02T07:00:00Z' }),
            did(4, 'cancelled', { start: TEN }),
          ],
        },
        events: [
          confirmed,
          told('booking.rescheduled', 'e-1'),
          told('booking.rescheduled', 'e-2'),
          told('booking.cancelled'),
        ],
      },
    ],
    ['a recorded no', { published: [asked(1)], journals: { alnoor: [declined(1)] }, events: [rejected] }],
    [
      'a no that was lost on the way and asked for again',
      {
        published: [asked(1)],
        journals: { alnoor: [declined(1, { answer: 'reset' }), declined(2, { repeatOf: 1 })] },
        events: [rejected],
      },
    ],
    [
      'a no nobody saw, and then a yes',
      {
        published: [asked(1)],
        journals: { alnoor: [declined(1, { answer: 'late fault SLOT_TAKEN' }), did(2, 'booked')] },
        events: [confirmed],
      },
    ],
    [
      'a repeat the hospital recognized',
      {
        published: [asked(1)],
        journals: {
          alnoor: [did(1, 'booked', { answer: 'reset' }), did(2, 'booked', { effect: 'none', repeatOf: 1 })],
        },
        events: [confirmed],
      },
    ],
    [
      'a held request without effect',
      { published: [asked(1)], held: [{ reference: 'BK-1', type: REQUESTED }] },
    ],
    [
      'a held request with its effect, of which Dawy has not heard',
      {
        published: [asked(1)],
        journals: { alnoor: [did(1, 'booked')] },
        held: [{ reference: 'BK-1', type: REQUESTED }],
      },
    ],
    [
      'an effect a person settled, of which Dawy has not heard',
      {
        published: [asked(1)],
        journals: { alnoor: [did(1, 'booked')] },
        settled: [{ reference: 'BK-1', type: REQUESTED }],
      },
    ],
    ['a refused request', { published: [asked(1)], refused: [{ messageId: 'm-1' }] }],
    [
      'the same message published twice, and the same event received twice',
      {
        published: [asked(1), asked(2, REQUESTED, { messageId: 'm-1' })],
        journals: { alnoor: [did(1, 'booked')] },
        events: [confirmed, confirmed],
      },
    ],
    [
      'the same reference at two hospitals',
      {
        published: [asked(1), asked(2, REQUESTED, { hospital: 'stmary' })],
        journals: { alnoor: [did(1, 'booked')], stmary: [did(1, 'booked')] },
        events: [confirmed, told('booking.confirmed', 'e-2')],
      },
    ],
  ];
  for (const [what, evidence] of sound) {
    it(`finds nothing wrong with ${what}`, () => {
      expect(kinds(judged(evidence))).to.deep.equal({});
    });
  }

  const wrong: readonly (readonly [string, Partial<Evidence>, Record<string, number>])[] = [
    ['a request that came to nothing', { published: [asked(1)] }, { lost: 1 }],
    [
      'a request whose only answer was "not now"',
      { published: [asked(1)], journals: { alnoor: [declined(1, { answer: '429 BUSY' })] } },
      { lost: 1 },
    ],
    [
      'a no that was never sent whole',
      { published: [asked(1)], journals: { alnoor: [declined(1, { answer: 'late 409 SLOT_TAKEN' })] } },
      { lost: 1 },
    ],
    [
      'a second request of which only the first was done',
      {
        published: [asked(1), asked(2, CANCEL)],
        journals: { alnoor: [did(1, 'booked')] },
        events: [confirmed],
      },
      { lost: 1 },
    ],
    [
      'two requests and one of them held',
      {
        published: [asked(1), asked(2, REQUESTED, { reference: 'BK-2' })],
        held: [{ reference: 'BK-1', type: REQUESTED }],
      },
      { lost: 1 },
    ],
    [
      'an effect at the wrong hospital',
      { published: [asked(1)], journals: { stmary: [did(1, 'booked')] }, events: [confirmed] },
      { lost: 1, unknown: 1 },
    ],
    [
      'an effect Dawy never heard of',
      { published: [asked(1)], journals: { alnoor: [did(1, 'booked')] } },
      { lost: 1 },
    ],
    [
      'two moves Dawy heard of under one event id',
      {
        published: [asked(1), asked(2, MOVE, { start: NINE }), asked(3, MOVE, { start: TEN })],
        journals: {
          alnoor: [did(1, 'booked'), did(2, 'moved', { start: NINE }), did(3, 'moved', { start: TEN })],
        },
        events: [confirmed, told('booking.rescheduled'), told('booking.rescheduled')],
      },
      { lost: 1 },
    ],
    ['a no Dawy never heard of', { published: [asked(1)], journals: { alnoor: [declined(1)] } }, { lost: 1 }],
    [
      'one request booked twice',
      {
        published: [asked(1)],
        journals: { alnoor: [did(1, 'booked'), did(2, 'booked', { duplicateEffect: true, repeatOf: 1 })] },
        events: [confirmed],
      },
      { duplicateEffects: 1 },
    ],
    [
      'one request booked again after its cancel, where the hospital sees no repeat',
      {
        published: [asked(1), asked(2, CANCEL)],
        journals: { alnoor: [did(1, 'booked'), did(2, 'cancelled'), did(3, 'booked')] },
        events: [confirmed, told('booking.cancelled')],
      },
      { duplicateEffects: 1 },
    ],
    [
      'an old move done again after a newer one',
      {
        published: [asked(1), asked(2, MOVE, { start: NINE }), asked(3, MOVE, { start: TEN })],
        journals: {
          alnoor: [
            did(1, 'booked'),
            did(2, 'moved', { start: NINE }),
            did(3, 'moved', { start: TEN }),
            did(4, 'moved', { start: NINE }),
          ],
        },
        events: [confirmed, told('booking.rescheduled', 'e-1'), told('booking.rescheduled', 'e-2')],
      },
      { duplicateEffects: 1 },
    ],
    [
      'two moves done in the wrong order',
      {
        published: [asked(1), asked(2, MOVE, { start: NINE }), asked(3, MOVE, { start: TEN })],
        journals: {
          alnoor: [did(1, 'booked'), did(2, 'moved', { start: TEN }), did(3, 'moved', { start: NINE })],
        },
        events: [confirmed, told('booking.rescheduled', 'e-1'), told('booking.rescheduled', 'e-2')],
      },
      { orderBreaks: 1 },
    ],
    [
      'a cancel done before the move asked for earlier',
      {
        published: [asked(1), asked(2, MOVE), asked(3, CANCEL)],
        journals: { alnoor: [did(1, 'booked'), did(2, 'cancelled'), did(3, 'moved')] },
        events: [confirmed, told('booking.rescheduled'), told('booking.cancelled')],
      },
      { orderBreaks: 1 },
    ],
    ['an effect nobody asked for', { journals: { alnoor: [did(1, 'booked')] } }, { unknown: 1 }],
    [
      'an effect without a reference',
      { journals: { alnoor: [did(1, 'cancelled', { reference: null })] } },
      { unknown: 1 },
    ],
    [
      'a move to a slot nobody asked for',
      {
        published: [asked(1), asked(2, MOVE, { start: NINE })],
        journals: { alnoor: [did(1, 'booked'), did(2, 'moved', { start: TEN })] },
        events: [confirmed, told('booking.rescheduled')],
      },
      { unknown: 1, lost: 1 },
    ],
    [
      'the effect of a refused request',
      { published: [asked(1)], refused: [{ messageId: 'm-1' }], journals: { alnoor: [did(1, 'booked')] } },
      { unknown: 1 },
    ],
    [
      'a confirmation of what no hospital did',
      { published: [asked(1)], held: [{ reference: 'BK-1', type: REQUESTED }], events: [confirmed] },
      { falselyTold: 1 },
    ],
    [
      'a confirmation said twice under two ids',
      {
        published: [asked(1)],
        journals: { alnoor: [did(1, 'booked')] },
        events: [confirmed, told('booking.confirmed', 'e-2')],
      },
      { falselyTold: 1 },
    ],
    [
      'a rejection of what a hospital did',
      { published: [asked(1)], journals: { alnoor: [did(1, 'booked')] }, events: [confirmed, rejected] },
      { falselyTold: 1 },
    ],
  ];
  for (const [what, evidence, found] of wrong) {
    it(`finds ${what}`, () => {
      expect(kinds(judged(evidence))).to.deep.equal(found);
    });
  }

  it('says where to look, and how it stands', () => {
    const findings = judged({
      published: [asked(1)],
      journals: { alnoor: [did(4, 'booked'), did(9, 'booked')] },
      events: [confirmed, confirmed],
    });

    expect(findings.duplicateEffects).to.deep.equal([
      { hospital: 'alnoor', reference: 'BK-1', type: 'booked', why: 'it was done before', seqs: [4, 9] },
    ]);
    expect(findings.summary).to.include({ ok: false, published: 1, effects: 2, repeatedEvents: 1 });
    expect(sentence(findings)).to.equal(
      '1 published: 2 effects, 0 declined, 0 held, 0 refused; lost 0, duplicate effects 1, order breaks 0, unknown 0, falsely told 0',
    );
  });
});
