import { expect } from 'chai';
import {
  confirmed,
  FRIDAY,
  MONDAY,
  MOVE,
  placed,
  REQUESTED,
  requested,
  START,
  TUESDAY,
} from './conversation.ts';

const minutesLater = (minutes: number): Date => new Date(START.getTime() + minutes * 60_000);

describe('a booking that is moved', () => {
  it('stands at the agreed time until the hospital says yes', () => {
    const { known } = confirmed().hear(MOVE, TUESDAY);

    expect(known).to.include({ state: 'reschedule-requested' });
    expect(known.context).to.deep.include({ agreed: MONDAY, asked: TUESDAY });
    expect(known.wakeAt).to.deep.equal(minutesLater(15));
  });

  it('is confirmed at the time that was asked for when the hospital says yes', () => {
    const conversation = confirmed().hear(MOVE, TUESDAY).hear('booking.rescheduled', {}, MOVE);

    expect(conversation.state).to.equal('confirmed');
    expect(conversation.known.context).to.deep.equal({ hospitalRef: 'H-7', agreed: TUESDAY });
    expect(conversation.said.at(-1)).to.equal('booking.rescheduled');
  });

  for (const [name, given, state] of [
    ['confirmed', confirmed, 'confirmed'],
    ['placed', placed, 'placed'],
    ['requested', requested, 'requested'],
  ] as const) {
    it(`is ${name} again, at its old time, after only the move was refused`, () => {
      const conversation = given()
        .hear(MOVE, TUESDAY)
        .hear('booking.rejected', { reason: 'SLOT_TAKEN' }, MOVE);

      expect(conversation.state).to.equal(state);
      expect(conversation.known.context).to.deep.equal(given().known.context);
      expect(conversation.last).to.have.deep.property('says', [
        { type: 'booking.rejected', reason: 'SLOT_TAKEN' },
      ]);
    });
  }

  it('keeps waiting for the move while the first request is placed and confirmed', () => {
    const conversation = requested().hear(MOVE, TUESDAY).hear('booking.placed', {}, REQUESTED);
    expect(conversation.known.context.agreed, 'the first time, not the asked one').to.deep.equal(MONDAY);

    conversation.hear('booking.confirmed', {}, REQUESTED);
    expect(conversation.state).to.equal('reschedule-requested');

    conversation.hear('booking.rejected', {}, MOVE);
    expect(conversation.state).to.equal('confirmed');
    expect(conversation.known.context.agreed).to.deep.equal(MONDAY);
  });

  it('is not agreed anew because the hospital only has the request to move', () => {
    const conversation = confirmed().hear(MOVE, TUESDAY).hear('booking.placed', TUESDAY, MOVE);

    expect(conversation.outcome).to.equal('unchanged');
    expect(conversation.known.context.agreed).to.deep.equal(MONDAY);
  });

  it('is not placed because the hospital has the request to move it', () => {
    const conversation = requested().hear(MOVE, TUESDAY).hear('booking.placed', {}, MOVE);

    expect(conversation.outcome).to.equal('unchanged');
    expect(conversation.hear('booking.rejected', {}, MOVE).state).to.equal('requested');
  });

  it('agrees on nothing of ours when the hospital moves it elsewhere meanwhile', () => {
    const { known } = confirmed()
      .hear(MOVE, { ...TUESDAY, doctor: 'D-2' })
      .hear('booking.rescheduled', FRIDAY);

    expect(known).to.include({ state: 'confirmed' });
    expect(known.context.agreed).to.deep.equal(FRIDAY);
  });

  it('takes a confirmation of the asked time as the yes, whatever it says it answers', () => {
    for (const asked of [null, MOVE]) {
      const conversation = confirmed().hear(MOVE, TUESDAY).hear('booking.confirmed', TUESDAY, asked);

      expect(conversation.state).to.equal('confirmed');
      expect(conversation.known.context.agreed).to.deep.equal(TUESDAY);
      expect(conversation.said.at(-1)).to.equal('booking.rescheduled');
    }
  });

  it('hears nothing new in the old time while it waits', () => {
    const conversation = confirmed().hear(MOVE, TUESDAY);

    expect(conversation.hear('booking.rescheduled', MONDAY).outcome).to.equal('unchanged');
    expect(conversation.hear('booking.confirmed', MONDAY).outcome).to.equal('unchanged');
    expect(conversation.state).to.equal('reschedule-requested');
  });

  it('follows a move by the hospital that nobody asked for', () => {
    const conversation = confirmed().hear('booking.rescheduled', FRIDAY);

    expect(conversation.known.context.agreed).to.deep.equal(FRIDAY);
    expect(conversation.said.at(-1)).to.equal('booking.rescheduled');
  });

  it('does not guess the time of a move by the hospital that does not say when', () => {
    expect(confirmed().hear('booking.rescheduled').outcome).to.equal('disagrees');
    expect(confirmed().hear(MOVE, TUESDAY).hear('booking.rescheduled').outcome).to.equal('disagrees');
  });

  it('does not guess what a bare rejection refuses while a move is open', () => {
    const conversation = confirmed().hear(MOVE, TUESDAY).hear('booking.rejected');

    expect(conversation.last).to.deep.equal({
      kind: 'disagrees',
      state: 'reschedule-requested',
      reported: 'booking.rejected',
    });
  });

  it('puts a confirmation of another time before a person', () => {
    expect(confirmed().hear('booking.confirmed', FRIDAY).outcome).to.equal('disagrees');
    expect(placed().hear('booking.placed', FRIDAY).outcome).to.equal('disagrees');
  });

  it('does not compare times that have no zone', () => {
    expect(confirmed().hear('booking.confirmed', { slotStart: '202603020800' }).outcome).to.equal(
      'unchanged',
    );
  });
});
