import { expect } from 'chai';
import { check, type DawyEvent, type Published } from '../../crash/checker.ts';
import { type Back, bookAlnoor, bookStmary, endHospital, startHospital, startOf } from './running.ts';

const BOOKINGS = 60;

/** A sender without a memory: it sends again until it is answered. */
async function sendBlindly(send: () => Promise<Back>): Promise<void> {
  let back = await send();
  while ('broke' in back) back = await send();
}

describe('the journal of a hospital before the checker', function () {
  this.timeout(30_000);

  for (const { kind, hospital: name, book, harms } of [
    { kind: 'rest', hospital: 'alnoor', book: bookAlnoor, harms: false },
    { kind: 'soap', hospital: 'stmary', book: bookStmary, harms: true },
  ] as const) {
    it(`${harms ? 'shows every second effect' : 'shows no second effect'} of a sender that repeats blindly (${name})`, async () => {
      const hospital = await startHospital(kind);
      try {
        await hospital.control.break('reset-after', { rate: 0.3, seed: 5 });
        const published: Published[] = [];
        const events: DawyEvent[] = [];
        for (let order = 0; order < BOOKINGS; order += 1) {
          const slot = startOf(order);
          const reference = `BK-${order}`;
          await sendBlindly(() => book(hospital, { reference, ...slot }));
          const request = { reference, hospital: name, type: 'booking.requested', messageId: `m-${order}` };
          published.push({ ...request, order, start: slot.start });
          events.push({ id: `e-${order}`, type: 'booking.confirmed', subject: reference });
        }

        const journal = await hospital.control.journal();
        const findings = check({ published, journals: { [name]: journal }, events, held: [], refused: [] });

        const resets = journal.filter(({ misbehaviour }) => misbehaviour === 'reset-after').length;
        expect(resets).to.be.greaterThan(0);
        expect(findings.duplicateEffects).to.have.length(harms ? resets : 0);
        expect(findings.summary).to.include({
          ok: !harms,
          effects: BOOKINGS + (harms ? resets : 0),
          recognizedRepeats: harms ? 0 : resets,
        });
        expect((await hospital.control.status()).duplicateEffects).to.equal(harms ? resets : 0);
      } finally {
        await endHospital(hospital);
      }
    });
  }
});
