import { expect } from 'chai';
import { bookingFacts } from '../../../engine/facts.ts';
import {
  CANCEL,
  Conversation,
  confirmed,
  desk,
  FRIDAY,
  input,
  MONDAY,
  MOVE,
  placed,
  REQUESTED,
  requested,
  START,
  TUESDAY,
} from './conversation.ts';

const minutesLater = (minutes: number): Date => new Date(START.getTime() + minutes * 60_000);

describe('a booking from request to answer', () => {
  it('begins requested, remembers what is asked, and waits 15 minutes', () => {
    const { booking, said } = requested();

    expect(booking).to.deep.equal({
      reference: 'BK-1',
      hospital: 'riverside',
      state: 'requested',
      context: { asked: MONDAY },
      version: 1,
      wakeAt: minutesLater(15),
    });
    expect(said).to.deep.equal([]);
  });

  it('is placed when the hospital has it and confirmed when the hospital says yes', () => {
    const conversation = placed();
    expect(conversation.state).to.equal('placed');

    conversation.hear('booking.confirmed');

    expect(conversation.state).to.equal('confirmed');
    expect(conversation.said).to.deep.equal(['booking.placed', 'booking.confirmed']);
    expect(conversation.known.context).to.deep.equal({ hospitalRef: 'H-7', agreed: MONDAY });
    expect(conversation.known.wakeAt).to.equal(null);
  });

  it('takes the time the hospital confirms, and not the end of another time', () => {
    const { known } = requested().hear('booking.confirmed', { slotStart: TUESDAY.slotStart }, REQUESTED);

    expect(known.context.agreed).to.deep.equal({ slotStart: TUESDAY.slotStart });
    expect(bookingFacts(known)).to.include({ state: 'confirmed', slotStart: TUESDAY.slotStart });
  });

  it('keeps the end when the hospital spells the same time in another zone', () => {
    const { known } = requested().hear('booking.confirmed', { slotStart: '2026-03-02T05:00:00Z' }, REQUESTED);

    expect(known.context.agreed).to.deep.equal({ ...MONDAY, slotStart: '2026-03-02T05:00:00Z' });
  });

  it('is rejected with the reason and the alternatives', () => {
    const { last, state } = requested().hear(
      'booking.rejected',
      { reason: 'SLOT_TAKEN', alternatives: '09:00 10:00' },
      REQUESTED,
    );

    expect(state).to.equal('rejected');
    expect(last).to.have.deep.property('says', [
      { type: 'booking.rejected', reason: 'SLOT_TAKEN', alternatives: '09:00 10:00' },
    ]);
  });

  it('can be confirmed without having been placed; the late placed brings nothing new', () => {
    const conversation = requested().hear('booking.confirmed').hear('booking.placed');

    expect(conversation.state).to.equal('confirmed');
    expect(conversation.outcome).to.equal('unchanged');
  });

  it('learns the reference from a report that brings nothing else, and says nothing', () => {
    const conversation = requested().hear('booking.confirmed').hear('booking.placed', { hospitalRef: 'H-9' });

    expect(conversation.known.context.hospitalRef).to.equal('H-9');
    expect(conversation.last).to.deep.include({ kind: 'moved', says: [] });
  });

  it('never unlearns the reference', () => {
    const conversation = confirmed()
      .hear(MOVE, TUESDAY)
      .hear('booking.rescheduled', {}, MOVE)
      .hear('booking.cancelled');

    expect(conversation.known.context.hospitalRef).to.equal('H-7');
  });
});

describe('the day of the appointment', () => {
  it('goes from arrived to fulfilled', () => {
    const conversation = confirmed().hear('booking.arrived').hear('booking.fulfilled');

    expect(conversation.state).to.equal('fulfilled');
    expect(conversation.said.slice(-2)).to.deep.equal(['booking.arrived', 'booking.fulfilled']);
  });

  it('takes an arrival as the yes that was never heard', () => {
    const conversation = requested().hear('booking.arrived').hear('booking.confirmed');

    expect(conversation.state).to.equal('arrived');
    expect(conversation.outcome).to.equal('unchanged');
    expect(conversation.known.context.agreed).to.deep.equal(MONDAY);
  });

  it('lets a patient arrive late after a no-show', () => {
    expect(confirmed().hear('booking.no-show').hear('booking.arrived').state).to.equal('arrived');
  });

  for (const [first, then] of [
    ['booking.arrived', 'booking.no-show'],
    ['booking.fulfilled', 'booking.no-show'],
    ['booking.fulfilled', 'booking.cancelled'],
    ['booking.rejected', 'booking.fulfilled'],
    ['booking.rejected', 'booking.confirmed'],
    ['booking.cancelled', 'booking.arrived'],
    ['booking.no-show', 'booking.confirmed'],
  ] as const) {
    it(`puts ${then} after ${first} before a person`, () => {
      const conversation = confirmed().hear(first);
      const before = conversation.known;

      expect(conversation.hear(then).last).to.deep.equal({
        kind: 'disagrees',
        state: before.state,
        reported: then,
      });
      expect(conversation.known).to.equal(before);
    });
  }
});

describe('a booking nobody answers', () => {
  it('tells Dawy once and waits on', () => {
    const conversation = requested().hear('timer', {}, null, minutesLater(15));

    expect(conversation.said).to.deep.equal(['booking.unanswered']);
    expect(conversation.known).to.include({ state: 'requested', version: 2, wakeAt: null });
    expect(conversation.known.context.unansweredSince).to.equal(minutesLater(15).toISOString());
    expect(conversation.hear('timer', {}, null, minutesLater(30)).outcome).to.equal('unchanged');
  });

  it('takes the late answer', () => {
    const conversation = requested().hear('timer').hear('booking.confirmed', {}, REQUESTED);

    expect(conversation.state).to.equal('confirmed');
    expect(conversation.known.context).to.not.have.property('unansweredSince');
  });

  it('is woken although the clocks of engine and database differ', () => {
    expect(requested().hear('timer', {}, null, minutesLater(14)).outcome).to.equal('moved');
  });

  it('does not hear the deadline of a state it has left', () => {
    expect(confirmed().hear('timer').outcome).to.equal('unchanged');
    expect(new Conversation().hear('timer').outcome).to.equal('unchanged');
  });

  it('gives the hospital a day to decide on what it has placed', () => {
    expect(placed().known.wakeAt).to.deep.equal(minutesLater(24 * 60));
    expect(placed().hear('timer').said.at(-1)).to.equal('booking.unanswered');
  });

  it('keeps the deadline of an open cancel when what stands beneath it is confirmed', () => {
    const conversation = placed().hear(CANCEL).hear('booking.confirmed', {}, null, minutesLater(10));

    expect(conversation.known.wakeAt).to.deep.equal(minutesLater(15));
  });
});

describe('a request out of turn', () => {
  for (const [name, conversation, request, state, legal] of [
    ['a move of the unknown', () => new Conversation(), MOVE, 'unknown', [REQUESTED]],
    ['a second booking of what is requested', requested, REQUESTED, 'requested', [MOVE, CANCEL]],
    ['a second booking of what is confirmed', confirmed, REQUESTED, 'confirmed', [MOVE, CANCEL]],
    ['a second move', () => confirmed().hear(MOVE), MOVE, 'reschedule-requested', [CANCEL]],
    ['a move of what is being cancelled', () => confirmed().hear(CANCEL), MOVE, 'cancel-requested', []],
    [
      'a move of what is cancelled',
      () => confirmed().hear('booking.cancelled'),
      MOVE,
      'cancelled',
      [REQUESTED],
    ],
    [
      'a cancel of what is rejected',
      () => requested().hear('booking.rejected'),
      CANCEL,
      'rejected',
      [REQUESTED],
    ],
    ['a cancel after the arrival', () => confirmed().hear('booking.arrived'), CANCEL, 'arrived', []],
  ] as const) {
    it(`is refused, the legal ones named: ${name}`, () => {
      expect(conversation().hear(request).last).to.deep.equal({ kind: 'illegal', state, legal });
    });
  }

  it('is refused when it is no request at all', () => {
    const strange = { ...input('booking.confirmed'), kind: 'request' } as const;

    expect(confirmed().take(strange).outcome).to.equal('illegal');
  });
});

describe('a booking that starts again', () => {
  for (const end of ['booking.rejected', 'booking.cancelled']) {
    it(`forgets everything but its version after ${end}`, () => {
      const conversation = confirmed().hear(MOVE, TUESDAY).hear(end, {}, REQUESTED);
      const { version } = conversation.known;

      conversation.hear(REQUESTED, FRIDAY);

      expect(conversation.known).to.deep.include({
        state: 'requested',
        version: version + 1,
        context: { asked: FRIDAY },
        wakeAt: minutesLater(15),
      });
    });
  }
});

describe('the desk', () => {
  it('makes no booking of a report under a reference nobody asked with', () => {
    for (const type of ['booking.confirmed', 'booking.cancelled', 'booking.fulfilled']) {
      expect(new Conversation().hear(type).last).to.deep.equal({
        kind: 'disagrees',
        state: 'unknown',
        reported: type,
      });
    }
  });

  it('knows how a message is said to a booking', () => {
    expect(desk.kindOf(MOVE)).to.equal('request');
    expect(desk.kindOf('booking.no-show')).to.equal('report');
    expect(desk.kindOf('booking.unanswered')).to.equal(null);
    expect(desk.kindOf('patient.changed')).to.equal(null);
  });

  it('knows its own states and no others', () => {
    expect(desk.states).to.include('reschedule-requested');
    for (const state of ['for-good', 'unknown', 'accepted', '']) expect(desk.states).to.not.include(state);
  });

  it('says that the version is too old for a state it does not have', () => {
    const strange = { ...confirmed().known, state: 'waitlisted' };

    expect(() => desk.step('BK-1', strange.hospital, strange, input('booking.confirmed'))).to.throw(
      'waitlisted',
    );
  });
});
