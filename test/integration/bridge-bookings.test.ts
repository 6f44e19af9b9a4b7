import { expect } from 'chai';
import { cancelRequested, requested, rescheduleRequested } from '../../sandbox/dawy/messages.ts';
import { TestNetwork } from '../support/bridge.ts';
import { effectsOn } from '../support/journal.ts';

/** What must come through every form, escape and encoding as it is. */
const STRANGE: readonly (readonly [what: string, text: string])[] = [
  ['an Arabic name', 'ليلى مثال'],
  ['a name outside the basic plane', 'Test 𠮷𝒜 Patient'],
  ['a name written with combining marks', 'Zoe\u0308 Exa\u0301mple'],
  ['what would end JSON or XML', `"}]]></m:Name><x a='1'>&amp;&#65;{{edition.key}}`],
  ['backslashes and what looks like escapes', 'a\\u0041\\n\\\\b%20'],
  ['line separators and direction marks', 'one\u2028two\u2029three\u202Efour\u200F'],
  ['a number with leading zeros', '000123456789012345678901234567890'],
  ['spaces at both ends', '  Test  Patient  '],
  ['tabs and line ends', 'one\ttwo\nthree\rfour\r\nfive'],
];

for (const hospital of ['alnoor', 'stmary'] as const) {
  describe(`bookings at ${hospital}, from Dawy and back`, function () {
    this.timeout(30_000);
    let network: TestNetwork;

    before(async () => {
      network = await TestNetwork.open();
      await network.start();
    });

    after(() => network.close());

    const journal = () => network[hospital].control.journal();
    const calendar = () => network[hospital].control.calendar();

    it('books, moves and cancels by the reference the hospital gave, and tells Dawy each time', async () => {
      const wish = network.wish(hospital);
      const moved = network.slot(500);
      await network.publish(requested(wish));
      const confirmed = await network.told(wish.reference, 'booking.confirmed');
      const [booked] = effectsOn(await journal(), wish.reference);
      expect(confirmed.data).to.deep.include({
        asked: 'booking.requested',
        booking: {
          reference: wish.reference,
          hospital,
          state: 'confirmed',
          hospitalRef: booked?.hospitalRef,
          slotStart: wish.slot.start,
          slotEnd: wish.slot.end,
        },
      });

      await network.publish(rescheduleRequested(wish, moved));
      const rescheduled = await network.told(wish.reference, 'booking.rescheduled');
      expect(rescheduled.data.booking).to.include({
        slotStart: moved.start,
        slotEnd: moved.end,
        state: 'confirmed',
      });
      await network.publish(cancelRequested(wish, 'feels better'));
      const cancelled = await network.told(wish.reference, 'booking.cancelled');
      expect(cancelled.data.booking).to.include({ state: 'cancelled', hospitalRef: booked?.hospitalRef });

      expect(network.typesOf(wish.reference)).to.deep.equal([
        'booking.confirmed',
        'booking.rescheduled',
        'booking.cancelled',
      ]);
      const done = effectsOn(await journal(), wish.reference);
      expect(done.map(({ effect, hospitalRef }) => [effect, hospitalRef])).to.deep.equal(
        ['booked', 'moved', 'cancelled'].map((effect) => [effect, booked?.hospitalRef]),
      );
    });

    it('keeps the order of requests that come all at once', async () => {
      const wish = network.wish(hospital);
      const messages = [
        requested(wish),
        rescheduleRequested(wish, network.slot(501)),
        cancelRequested(wish, 'changed plans'),
      ];
      await Promise.all(messages.map((message) => network.publish(message)));
      await network.told(wish.reference, 'booking.cancelled');
      const done = effectsOn(await journal(), wish.reference);
      expect(done.map(({ effect, start }) => [effect, start])).to.deep.equal([
        ['booked', wish.slot.start],
        ['moved', network.slot(501).start],
        ['cancelled', network.slot(501).start],
      ]);
    });

    it('refuses a second move before the first is answered, and says what would be legal', async () => {
      const wish = network.wish(hospital);
      const second = rescheduleRequested(wish, network.slot(505));
      const messages = [requested(wish), rescheduleRequested(wish, network.slot(504)), second];
      await Promise.all(messages.map((message) => network.publish(message)));
      const { data } = await network.refused(second.id);
      expect(data.refused).to.include({
        code: 'booking-out-of-turn',
        state: 'reschedule-requested',
        legal: 'booking.cancel-requested',
      });
      await network.told(wish.reference, 'booking.rescheduled');
      const found = (await calendar()).find(({ reference }) => reference === wish.reference);
      expect(found?.start).to.equal(network.slot(504).start);
    });

    it('tells Dawy of a taken slot with what else there is, and it is no dead letter', async () => {
      const first = network.wish(hospital);
      const second = network.wish(hospital, { slot: first.slot });
      await network.publish(requested(first));
      await network.told(first.reference, 'booking.confirmed');
      await network.publish(requested(second));
      const rejected = await network.told(second.reference, 'booking.rejected');
      expect(rejected.data.reason).to.equal('SLOT_TAKEN');
      expect(rejected.data.alternatives).to.match(/T\d\d:\d\d/);
      expect(rejected.data.booking?.['state']).to.equal('rejected');
      await network.quiet();
      const stopped = await network.database.query(
        `select 1 from hisbridge.delivery where state in ('held', 'dead')`,
      );
      expect(stopped).to.deep.equal([]);
    });

    it('leaves the agreed slot standing when the hospital declines a move', async () => {
      const first = network.wish(hospital);
      const second = network.wish(hospital);
      await network.publish(requested(first));
      await network.publish(requested(second));
      await network.told(first.reference, 'booking.confirmed');
      await network.told(second.reference, 'booking.confirmed');
      await network.publish(rescheduleRequested(second, first.slot));
      const rejected = await network.told(second.reference, 'booking.rejected');
      expect(rejected.data).to.deep.include({ asked: 'booking.reschedule-requested', reason: 'SLOT_TAKEN' });
      expect(rejected.data.booking).to.include({ state: 'confirmed', slotStart: second.slot.start });
    });

    it('gives a slot that was cancelled to the next', async () => {
      const first = network.wish(hospital);
      const second = network.wish(hospital, { slot: first.slot });
      await network.publish(requested(first));
      await network.publish(cancelRequested(first, 'feels better'));
      await network.told(first.reference, 'booking.cancelled');
      await network.publish(requested(second));
      await network.told(second.reference, 'booking.confirmed');
    });

    for (const [what, text] of STRANGE) {
      it(`brings ${what} to the calendar as it was sent`, async () => {
        const wish = network.wish(hospital, {
          patient: { id: `00${text.length}`, name: text, birthDate: '1990-04-01', phone: '+966 050-0' },
          note: text,
        });
        await network.publish(requested(wish));
        await network.told(wish.reference, 'booking.confirmed');
        const found = (await calendar()).find(({ reference }) => reference === wish.reference);
        expect(found?.patient).to.deep.equal(wish.patient);
        expect(found?.note).to.equal(text);
      });
    }

    it('brings a reference that is hostile itself to the hospital and back', async () => {
      const reference = `BK-0007/..?a=1&b=<'">]]>ليلى`;
      const wish = network.wish(hospital, { reference });
      await network.publish(requested(wish));
      const confirmed = await network.told(reference, 'booking.confirmed');
      expect(confirmed.data.booking?.['reference']).to.equal(reference);
      await network.publish(rescheduleRequested(wish, network.slot(503)));
      await network.told(reference, 'booking.rescheduled');
      const [found] = (await calendar()).filter((appointment) => appointment.reference === reference);
      expect(found).to.include({ start: network.slot(503).start });
    });

    it('takes CloudEvents, structured or in headers, as it takes plain JSON', async () => {
      const structured = requested(network.wish(hospital));
      const { type, id, ...data } = structured;
      const envelope = { specversion: '1.0', source: 'dawy', type, id, data };
      const bound = requested(network.wish(hospital));
      const { type: boundType, id: boundId, ...rest } = bound;
      const headers = {
        'cloudEvents:specversion': '1.0',
        'cloudEvents:type': boundType,
        'cloudEvents:id': boundId,
        'cloudEvents:source': 'dawy',
      };
      await network.publish(envelope, { messageId: null });
      await network.publish(rest, { messageId: null, key: boundType, options: { headers } });
      await network.told(structured.booking.reference, 'booking.confirmed');
      await network.told(bound.booking.reference, 'booking.confirmed');
      expect(await network.kept('id', id)).to.have.length(1);
      expect(await network.kept('id', boundId)).to.have.length(1);
    });

    it('keeps the bytes Dawy sent, whatever they were', async () => {
      const message = requested(network.wish(hospital));
      const bytes = Buffer.from(`\n ${JSON.stringify(message, null, 3).replace('Layla', '\\u004cayla')}\t`);
      await network.publish(bytes, { messageId: message.id });
      await network.told(message.booking.reference, 'booking.confirmed');
      const [kept] = await network.kept('id', message.id);
      expect(kept?.body).to.equal(bytes.toString());
    });

    it('has done all of it without a fault, and the ledger agrees', async () => {
      await network.quiet();
      expect(await network.faults()).to.deep.equal([]);
    });
  });
}
