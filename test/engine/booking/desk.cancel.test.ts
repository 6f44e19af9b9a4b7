import { expect } from 'chai';
import {
  CANCEL,
  confirmed,
  FRIDAY,
  MONDAY,
  MOVE,
  placed,
  REQUESTED,
  requested,
  TUESDAY,
} from './conversation.ts';

describe('a booking that is cancelled', () => {
  for (const [name, given] of [
    ['before it is placed', requested],
    ['before it is confirmed', placed],
    ['after it is confirmed', confirmed],
    ['while a move waits', () => confirmed().hear(MOVE, TUESDAY)],
  ] as const) {
    it(`can be asked ${name}`, () => {
      const conversation = given().hear(CANCEL, { reason: 'patient' });
      expect(conversation.state).to.equal('cancel-requested');

      conversation.hear('booking.cancelled', {}, CANCEL);

      expect(conversation.state).to.equal('cancelled');
      expect(conversation.said.at(-1)).to.equal('booking.cancelled');
      expect(conversation.known.context).to.not.have.any.keys('asked', 'beneath');
    });

    it(`stands as it was when the cancel asked ${name} is refused`, () => {
      const conversation = given().hear(CANCEL).hear('booking.rejected', { reason: 'TOO_LATE' }, CANCEL);

      expect(conversation.state).to.equal(given().state);
      expect(conversation.known.context).to.deep.equal(given().known.context);
      expect(conversation.said.at(-1)).to.equal('booking.rejected');
    });
  }

  it('crosses a confirmation: the confirmation is told, the cancel still waits', () => {
    const conversation = placed().hear(CANCEL).hear('booking.confirmed');
    expect(conversation.state).to.equal('cancel-requested');
    expect(conversation.said.at(-1)).to.equal('booking.confirmed');

    conversation.hear('booking.cancelled', {}, CANCEL);
    expect(conversation.state).to.equal('cancelled');
  });

  it('stays cancelled when the confirmation it crossed comes last, and a person sees it', () => {
    for (const asked of [null, REQUESTED]) {
      const conversation = placed()
        .hear(CANCEL)
        .hear('booking.cancelled', {}, CANCEL)
        .hear('booking.confirmed', {}, asked);

      expect(conversation.state).to.equal('cancelled');
      expect(conversation.outcome).to.equal('disagrees');
    }
  });

  it('stays cancelled as Dawy asked, whatever confirmation comes again', () => {
    const conversation = confirmed()
      .hear(CANCEL)
      .hear('booking.cancelled', {}, CANCEL)
      .hear('booking.confirmed');

    expect(conversation.state).to.equal('cancelled');
    expect(conversation.outcome).to.equal('disagrees');
  });

  it('answers a move and a cancel that wait together, one by one', () => {
    const conversation = confirmed().hear(MOVE, TUESDAY).hear(CANCEL).hear('booking.rescheduled', {}, MOVE);
    expect(conversation.state).to.equal('cancel-requested');
    expect(conversation.known.context.agreed).to.deep.equal(TUESDAY);

    conversation.hear('booking.rejected', {}, CANCEL);
    expect(conversation.state).to.equal('confirmed');
  });

  it('does not take a confirmation as the answer to a cancel', () => {
    expect(confirmed().hear(CANCEL).hear('booking.confirmed', {}, CANCEL).outcome).to.equal('disagrees');
  });

  it('is told to Dawy also when the rejection of the booking came first', () => {
    const conversation = requested()
      .hear(CANCEL)
      .hear('booking.rejected', {}, REQUESTED)
      .hear('booking.cancelled', {}, CANCEL);

    expect(conversation.said).to.deep.equal(['booking.rejected', 'booking.cancelled']);
  });
});

describe('a hospital that changes its mind', () => {
  it('rejects what it confirmed', () => {
    expect(confirmed().hear('booking.rejected').state).to.equal('rejected');
  });

  it('cancels what it confirmed, and nobody asked', () => {
    const conversation = confirmed().hear('booking.cancelled', { reason: 'doctor away' });

    expect(conversation.state).to.equal('cancelled');
    expect(conversation.last).to.have.deep.property('says', [
      { type: 'booking.cancelled', reason: 'doctor away' },
    ]);
  });

  it('undoes its own cancellation', () => {
    const conversation = confirmed().hear('booking.cancelled').hear('booking.confirmed', MONDAY);

    expect(conversation.state).to.equal('confirmed');
    expect(conversation.said.slice(-2)).to.deep.equal(['booking.cancelled', 'booking.confirmed']);
    expect(conversation.known.context).to.deep.equal({ hospitalRef: 'H-7', agreed: MONDAY });
  });

  it('undoes its own cancellation at a new time', () => {
    const conversation = confirmed().hear('booking.cancelled').hear('booking.rescheduled', FRIDAY);

    expect(conversation.state).to.equal('confirmed');
    expect(conversation.known.context.agreed).to.deep.equal(FRIDAY);
  });

  it('does not undo a cancellation by an answer to an earlier request', () => {
    for (const asked of [REQUESTED, MOVE]) {
      const conversation = confirmed().hear('booking.cancelled').hear('booking.confirmed', MONDAY, asked);
      expect(conversation.outcome).to.equal('disagrees');
    }
  });

  it('does not cancel ours by cancelling the appointment that it replaced', () => {
    const conversation = confirmed().hear('booking.rescheduled', { ...FRIDAY, hospitalRef: 'H-8' });
    expect(conversation.known.context.hospitalRef).to.equal('H-8');

    conversation.hear('booking.cancelled', { hospitalRef: 'H-7' });

    expect(conversation.outcome).to.equal('disagrees');
    expect(conversation.state).to.equal('confirmed');
  });
});
