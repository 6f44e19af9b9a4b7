import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { CATALOGUE } from '../../engine/errors.ts';
import { cancelRequested, requested } from '../../sandbox/dawy/messages.ts';
import { type Publishing, TestNetwork } from '../support/bridge.ts';
import { unique, until } from '../support/rabbitmq.ts';

/** Stands where a patient's data would: it may be kept, and must never be said. */
const SECRET = 'S3cr3tOfThePatient';

interface Bad {
  readonly what: string;
  readonly body: (network: TestNetwork) => object | string | Buffer;
  readonly publishing?: Publishing;
  readonly said: Readonly<Record<string, string | RegExp>>;
}

const good = (network: TestNetwork) => requested(network.wish('alnoor'));
const named = (network: TestNetwork) => {
  const wish = network.wish('alnoor');
  return requested({ ...wish, patient: { ...wish.patient, name: SECRET } });
};

const BAD: readonly Bad[] = [
  {
    what: 'JSON that breaks off',
    body: () => `{"type":"booking.requested","patient":{"name":"${SECRET}`,
    said: { code: 'body-unreadable' },
  },
  {
    what: 'a body that is no text',
    body: () => Buffer.concat([Buffer.from([0xff, 0xfe, 0x00]), Buffer.from(SECRET)]),
    said: { code: 'body-unreadable' },
  },
  { what: 'no body at all', body: () => '', said: { code: 'body-unreadable' } },
  {
    what: 'JSON that says a name twice',
    body: (network) => JSON.stringify(named(network)).replace('{', `{"type":"${SECRET}",`),
    said: { code: 'body-unreadable' },
  },
  { what: 'JSON that is no object', body: () => JSON.stringify([SECRET]), said: { code: 'type-unknown' } },
  {
    what: 'a value that breaks a pattern',
    body: (network) => {
      const wish = network.wish('alnoor');
      return requested({ ...wish, patient: { ...wish.patient, phone: SECRET } });
    },
    said: { code: 'schema-violation', pointer: '/patient/phone', rule: 'pattern', remedy: /matches/ },
  },
  {
    what: 'a value of the wrong type',
    body: (network) => ({ ...good(network), note: [SECRET] }),
    said: { code: 'schema-violation', pointer: '/note', rule: 'type', remedy: /of type string/ },
  },
  {
    what: 'a date that is not in the calendar',
    body: (network) => {
      const wish = network.wish('alnoor');
      return requested({ ...wish, patient: { ...wish.patient, name: SECRET, birthDate: '1990-02-30' } });
    },
    said: { code: 'schema-violation', pointer: '/patient/birthDate', rule: 'format', remedy: /2026-12-02/ },
  },
  {
    what: 'a part that is missing',
    body: (network) => ({ ...named(network), slot: undefined }),
    said: { code: 'schema-violation', pointer: '/slot', rule: 'required', remedy: 'add "slot"' },
  },
  {
    what: 'a type nobody described',
    body: (network) => ({ ...named(network), type: 'booking.paused' }),
    publishing: { key: 'booking.paused' },
    said: { code: 'type-unknown', pointer: '/type', remedy: /booking\.cancel-requested.*booking\.requested/ },
  },
  {
    what: 'no type',
    body: (network) => ({ ...named(network), type: undefined }),
    said: { code: 'type-unknown', pointer: '/type' },
  },
  {
    what: 'a hospital nobody configured',
    body: (network) => ({ ...named(network), booking: { reference: 'BK-x1', hospital: 'nowhere' } }),
    said: { code: 'hospital-unknown', pointer: '/booking/hospital', remedy: /alnoor, stmary/ },
  },
  {
    what: 'a system no route leads to',
    body: (network) => ({ ...named(network), booking: { reference: 'BK-x2', hospital: 'dawy' } }),
    said: { code: 'route-missing' },
  },
  {
    what: 'a body that is too large',
    body: (network) => ({ ...named(network), more: SECRET.repeat(60_000) }),
    said: { code: 'body-too-large' },
  },
  {
    what: 'a body nested too deep',
    body: () => `{"type":"booking.requested","name":"${SECRET}","deep":${'['.repeat(70)}${']'.repeat(70)}}`,
    said: { code: 'body-too-deep' },
  },
  {
    what: 'a body nested so deep that it would end a parser that calls itself',
    body: () => '['.repeat(500_000),
    said: { code: 'body-too-deep' },
  },
  {
    what: 'NUL in the reference',
    body: (network) => ({ ...named(network), booking: { reference: 'BK\0x', hospital: 'alnoor' } }),
    said: { code: 'key-unusable' },
  },
  {
    what: 'NUL in what people search by',
    body: (network) => {
      const wish = network.wish('alnoor');
      return requested({ ...wish, patient: { ...wish.patient, id: `1\0${SECRET}` } });
    },
    said: { code: 'key-unusable' },
  },
  {
    what: 'half a character in the reference',
    body: (network) => ({ ...named(network), booking: { reference: 'BK-\ud83d', hospital: 'alnoor' } }),
    said: { code: 'body-unreadable' },
  },
  {
    what: 'an overlong reference',
    body: (network) => ({ ...named(network), booking: { reference: 'B'.repeat(201), hospital: 'alnoor' } }),
    said: { code: 'key-unusable' },
  },
  {
    what: 'a cancel of a booking nobody knows',
    body: (network) => cancelRequested(network.wish('alnoor'), SECRET),
    said: { code: 'booking-out-of-turn', state: 'unknown', legal: 'booking.requested' },
  },
];

describe('what Dawy should not have sent', function () {
  this.timeout(30_000);
  let network: TestNetwork;

  before(async () => {
    network = await TestNetwork.open();
    await network.start();
  });

  after(() => network.close());

  const refusals = (id: string) =>
    network.database.query<{ code: string }>('select code from hisbridge.refusal where message_id = $1', [
      id,
    ]);
  const effects = async () => (await network.alnoor.control.journal()).length;

  for (const { what, body, publishing = {}, said } of BAD) {
    it(`keeps ${what} as refused, and tells Dawy what to do about it`, async () => {
      const messageId = unique('bad');
      const sent = body(network);
      const before = await effects();
      await network.publish(sent, { ...publishing, messageId });

      const { data } = await network.refused(messageId);
      for (const [name, wanted] of Object.entries(said)) {
        if (wanted instanceof RegExp) expect(data.refused?.[name]).to.match(wanted);
        else expect(data.refused?.[name], name).to.equal(wanted);
      }
      expect(data.refused?.['summary']).to.equal(CATALOGUE[data.refused?.['code'] as 'stranded'].summary);
      expect(data.refused?.['remedy']).to.be.a('string').and.not.equal('');

      const [kept] = await network.kept('id', messageId);
      expect(kept).to.include({ id: data.id, state: 'refused' });
      expect(await refusals(String(data.id))).to.deep.equal([{ code: said['code'] }]);
      expect(kept?.refusal).to.not.include(SECRET);
      expect(await effects()).to.equal(before);
    });
  }

  for (const [what, messageId] of [
    ['NUL', `a\0${unique('nul')}`],
    ['too many characters', 'm'.repeat(240)],
  ] as const) {
    it(`refuses an id with ${what}, and finds the message by its booking`, async () => {
      const message = named(network);
      await network.publish(message, { messageId });
      const about = () => network.heard.find(({ subject }) => subject === message.booking.reference);
      await until(() => about() !== undefined);
      expect(about()?.data.refused?.['code']).to.equal('key-unusable');
      const [kept] = await network.kept('booking', message.booking.reference);
      expect(kept).to.include({ id: about()?.data.id, state: 'refused' });
    });
  }

  it('gives a message without an id that of its bytes, and recognizes its repeat by it', async () => {
    const message = good(network);
    const { reference } = message.booking;
    await network.publish(message, { messageId: null });
    await network.publish(message, { messageId: null });
    await network.told(reference, 'booking.confirmed');
    await until(() => network.events.some((event) => event.kind === 'message-duplicate'));
    await network.quiet();
    expect(network.typesOf(reference)).to.deep.equal(['booking.confirmed']);
    const hash = createHash('sha256').update(JSON.stringify(message)).digest('hex');
    expect(await network.kept('id', `sha256:${hash}`)).to.have.length(1);
  });

  it('answers a repeat as the first, without a second effect', async () => {
    const message = good(network);
    const { reference } = message.booking;
    await network.publish(message);
    await network.told(reference, 'booking.confirmed');
    const repeats = () => network.events.filter(({ kind }) => kind === 'message-duplicate').length;
    const before = repeats();
    await network.publish(message);
    await network.publish(message);
    await until(() => repeats() === before + 2);
    await network.quiet();
    const lines = (await network.alnoor.control.journal()).filter((line) => line.reference === reference);
    expect(lines.length).to.equal(1);
    expect(await network.kept('id', message.id)).to.have.length(1);
  });

  it('refuses another body under an id that was used, and keeps both', async () => {
    const message = good(network);
    await network.publish(message);
    await network.told(message.booking.reference, 'booking.confirmed');
    await network.publish({ ...message, note: SECRET }, { messageId: message.id });
    const { data } = await network.refused(message.id);
    expect(data.refused).to.include({ code: 'id-reused', remedy: CATALOGUE['id-reused'].remedy });
    const kept = await network.kept('id', message.id);
    expect(kept.map(({ state }) => state)).to.deep.equal(['kept', 'refused']);
    expect(network.typesOf(message.booking.reference)).to.deep.equal([
      'booking.confirmed',
      'message.refused',
    ]);
  });

  it('takes the corrected message under the id of a refused one, and closes the refusal', async () => {
    const message = good(network);
    await network.publish({ ...message, doctor: undefined }, { messageId: message.id });
    const { data } = await network.refused(message.id);
    expect(data.refused).to.include({ code: 'schema-violation', pointer: '/doctor' });
    await network.publish(message);
    await network.told(message.booking.reference, 'booking.confirmed');
    expect(await refusals(String(data.id))).to.deep.equal([]);
    expect((await network.kept('id', message.id)).map(({ state }) => state)).to.deep.equal([
      'refused',
      'kept',
    ]);
  });

  it('takes a request that the broker had given up where nothing is known of its booking yet', async () => {
    const message = good(network);
    await network.strand(message);
    await network.told(message.booking.reference, 'booking.confirmed');
  });

  it('refuses a request that the broker had given up once its booking is known: later ones may have gone before', async () => {
    const wish = network.wish('alnoor');
    await network.publish(requested(wish));
    await network.told(wish.reference, 'booking.confirmed');
    const late = cancelRequested(wish, SECRET);
    await network.strand(late);
    const { data } = await network.refused(late.id);
    expect(data.refused).to.include({ code: 'stranded', remedy: CATALOGUE.stranded.remedy });
    const found = (await network.alnoor.control.calendar()).find(
      ({ reference }) => reference === wish.reference,
    );
    expect(found?.status).to.equal('booked');
  });

  it('tells Dawy once of the same refused bytes', async () => {
    const messageId = unique('again');
    const times = () =>
      network.events.filter((event) => event.kind === 'message-refused' && event.error === 'body-unreadable')
        .length;
    const before = times();
    await network.publish(`{"${SECRET}`, { messageId });
    await network.publish(`{"${SECRET}`, { messageId });
    await until(() => times() === before + 2);
    await network.quiet();
    expect(network.heard.filter(({ data }) => data.refused?.['messageId'] === messageId)).to.have.length(1);
    expect(await network.kept('id', messageId)).to.have.length(1);
  });

  it('never says a value of a message: not to Dawy, not in the log, not in a refusal', async () => {
    await network.quiet();
    expect(network.heard.filter(({ text }) => text.includes(SECRET))).to.deep.equal([]);
    expect(network.log.filter((line) => line.includes(SECRET))).to.deep.equal([]);
    const words = await network.database.query<{ word: string }>(
      `select convert_from(substr(refusal, 2), 'UTF8') as word from hisbridge.message where refusal is not null
       union all select value from hisbridge.message_key`,
    );
    expect(words.filter(({ word }) => word.includes(SECRET))).to.deep.equal([]);
  });

  it('has done all of it without a fault, and the ledger agrees', async () => {
    expect(await network.faults()).to.deep.equal([]);
  });
});
