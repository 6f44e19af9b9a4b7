import type { Booking, BookingEvent, BookingInput, BookingOutcome, Desk } from '../booking.ts';
import type { SystemName } from '../message.ts';
import { remember } from './context.ts';
import { REPORTS, REQUESTS, type Request, type Word } from './machine.ts';
import { readReport, saidAs } from './reading.ts';
import { FIRST, type Move, type Place, pathOf, placeAt, STATES } from './table.ts';

/** The desk that every booking is taken to. Holds nothing: the same booking and input give the same outcome. */
export function createDesk(): Desk {
  return {
    step: (reference, hospital, booking, input) =>
      booking === null ? begin(reference, hospital, input) : step(booking, input),
    states: STATES,
    kindOf: (type) =>
      requestIn(type) ? 'request' : REPORTS.some((report) => report === type) ? 'report' : null,
  };
}

function begin(reference: string, hospital: SystemName, input: BookingInput): BookingOutcome {
  switch (input.kind) {
    case 'timer':
      return { kind: 'unchanged' };
    case 'report':
      // Not moved into existence, whatever it says: the reference is Dawy's, and a request is kept before
      // it is sent, so no answer can overtake it. What a hospital says under a reference nobody asked with
      // is a wrong id or an appointment from before the bridge: to tell Dawy of it would be a guess.
      return { kind: 'disagrees', state: 'unknown', reported: input.type };
    case 'request': {
      const [first] = REQUESTS;
      if (input.type !== first) return { kind: 'illegal', state: 'unknown', legal: [first] };
      const patience = placeAt(FIRST).patience;
      const booking: Booking = {
        reference,
        hospital,
        state: FIRST[0],
        context: { asked: input.learnt },
        version: 1,
        wakeAt: patience === null ? null : after(input.at, patience),
      };
      return { kind: 'moved', booking, says: [] };
    }
  }
}

function step(booking: Booking, input: BookingInput): BookingOutcome {
  const place = placeAt(pathOf(booking));
  switch (input.kind) {
    case 'timer':
      // Whether the deadline has passed is the database's clock to say, and that it is this version's
      // deadline is checked by who asks. Here it only matters whether anything is waited for.
      if (booking.wakeAt === null || place.timer === null) return { kind: 'unchanged' };
      return move(booking, place.timer, 'nothing-new', input);
    case 'request': {
      const request = requestIn(input.type);
      const found = request === undefined ? undefined : place.heard.get(request);
      if (request === undefined || found === undefined) {
        return { kind: 'illegal', state: booking.state, legal: legalIn(place) };
      }
      return move(booking, found, request, input);
    }
    case 'report': {
      const word = readReport(booking, input);
      const found = word === null ? undefined : place.heard.get(word);
      if (word === null || found === undefined) {
        return { kind: 'disagrees', state: booking.state, reported: input.type };
      }
      return move(booking, found, word, input);
    }
  }
}

function move(booking: Booking, found: Move, word: Word, input: BookingInput): BookingOutcome {
  const context = remember(booking, found, input);
  if (context === booking.context) return { kind: 'unchanged' };
  const next: Booking = {
    ...booking,
    state: found.to[0],
    context,
    version: booking.version + 1,
    wakeAt: wakeAt(booking, found, input),
  };
  return { kind: 'moved', booking: next, says: found.effects.includes('say') ? [said(word, input)] : [] };
}

function wakeAt(booking: Booking, { effects, deadline }: Move, { at }: BookingInput): Date | null {
  if (effects.includes('overdue')) return null;
  if (deadline === 'stays') return booking.wakeAt;
  return deadline === null ? null : after(at, deadline);
}

function said(word: Word, input: BookingInput): BookingEvent {
  const { reason, alternatives } = input.learnt;
  return {
    type: saidAs(word, input),
    ...(reason === undefined ? {} : { reason }),
    ...(alternatives === undefined ? {} : { alternatives }),
  };
}

function after(at: Date, milliseconds: number): Date {
  return new Date(at.getTime() + milliseconds);
}

function legalIn(place: Place): readonly Request[] {
  return REQUESTS.filter((request) => place.heard.has(request));
}

function requestIn(type: string): Request | undefined {
  return REQUESTS.find((request) => request === type);
}
