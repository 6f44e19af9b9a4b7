import { expect } from 'chai';
import fc from 'fast-check';
import type { ChannelName } from '../../../engine/message.ts';
import type { Read } from '../../../engine/route.ts';
import { type Edit, edited, planOf } from './network.ts';

const REQUEST = {
  type: 'booking.requested',
  booking: { reference: 'BK-1', hospital: 'north' },
  slot: { start: '2026-12-02T08:00:00+03:00' },
  patient: { id: '0012345', name: 'Layla Example' },
  doctor: { id: 'DR-1' },
  doctors: ['DR-1', 'DR-2'],
};
const HEADERS = { 'amqp.messageId': 'm-1' };

function reader(...edits: readonly Edit[]): Read {
  return planOf(edited(...edits)).inbound.get('dawy-in' as ChannelName)!.read;
}

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

function readingOf(body: unknown, headers: Record<string, string> = HEADERS, ...edits: readonly Edit[]) {
  const result = reader(...edits)({ body: bytes(body), headers });
  if (result.kind === 'refused') throw result.error;
  return result.reading;
}

function refusalOf(body: unknown, headers: Record<string, string> = HEADERS, ...edits: readonly Edit[]) {
  const result = reader(...edits)({ body: bytes(body), headers });
  if (result.kind === 'read') throw new RangeError('it was read');
  const { error, partial } = result;
  return { code: error.code, details: error.details, partial, message: error.message };
}

describe('what a channel reads', () => {
  it('is the form, the type, the ids and what people search by', () => {
    expect(readingOf(REQUEST)).to.deep.equal({
      form: 'json',
      body: REQUEST,
      type: 'booking.requested',
      id: 'm-1',
      hospital: 'north',
      booking: 'BK-1',
      search: [
        { name: 'doctor', value: 'DR-1', private: false },
        { name: 'patient', value: '0012345', private: true },
      ],
      learnt: { slotStart: '2026-12-02T08:00:00+03:00', doctor: '["DR-1","DR-2"]' },
    });
  });

  it('has no id where the sender gave none', () => {
    expect(readingOf(REQUEST, {}).id).to.equal(null);
    expect(readingOf(REQUEST, { 'amqp.messageId': '' }).id).to.equal(null);
  });

  it('leaves out what is absent', () => {
    const { doctor: _doctor, doctors: _doctors, ...rest } = REQUEST;
    const { search, learnt } = readingOf(rest);
    expect(search.map(({ name }) => name)).to.deep.equal(['patient']);
    expect(learnt).to.deep.equal({ slotStart: REQUEST.slot.start });
  });

  it('has no identifier where a list or an object stands', () => {
    expect(
      readingOf({ ...REQUEST, doctor: { id: ['DR-1'] } }, HEADERS, [
        'schemas/booking.requested.json',
        '"doctor":{"type":"object","properties":{"id":{"type":"string"}}}',
        '"doctor":{"type":"object"}',
      ]).search,
    ).to.deep.equal([{ name: 'patient', value: '0012345', private: true }]);
  });

  it('can stand in any header', () => {
    const edit: Edit = ['routes.yaml', 'id: amqp.messageId', 'id: header.X-Request-Id'];
    expect(readingOf(REQUEST, { 'x-request-id': 'r-9' }, edit).id).to.equal('r-9');
  });

  it('is about the system of the channel where no hospital is said', () => {
    const { hospital } = readingOf(
      REQUEST,
      HEADERS,
      ['routes.yaml', '      hospital: /booking/hospital\n', ''],
      ['routes.yaml', '    when: { hospital: north }\n', ''],
    );
    expect(hospital).to.equal('dawy');
  });

  it('has no booking where the channel names none', () => {
    const { booking } = readingOf(
      REQUEST,
      HEADERS,
      ['routes.yaml', '      booking: /booking/reference\n', ''],
      ['routes.yaml', '    to: north-out', '    lane: /patient/id\n    to: north-out'],
    );
    expect(booking).to.equal(null);
  });

  it('takes every type where the schema is one for all', () => {
    const { type } = readingOf(
      { ...REQUEST, type: 'booking.moved' },
      HEADERS,
      ['routes.yaml', 'schemas/{type}.json', 'schemas/booking.requested.json'],
      ['cancel.json.yaml', "reason: '{{optional message.reason}}'", '{}'],
    );
    expect(type).to.equal('booking.moved');
  });
});

describe('a CloudEvent', () => {
  const { type, ...data } = REQUEST;

  it('is taken out of its structured envelope', () => {
    const event = { specversion: '1.0', type, id: 'e-1', source: '/dawy', data };
    const reading = readingOf(event);
    expect(reading).to.include({ type, id: 'e-1', booking: 'BK-1' });
    expect(reading.body).to.deep.equal({ ...data, type, id: 'e-1' });
  });

  it('is read from AMQP headers of both spellings', () => {
    for (const mark of [':', '_']) {
      const said = (name: string) => `cloudevents${mark}${name}`;
      const headers = { [said('specversion')]: '1.0', [said('type')]: type, [said('id')]: 'e-2' };
      expect(readingOf(data, headers), mark).to.include({ type, id: 'e-2', booking: 'BK-1' });
    }
  });

  it('without an object for data is refused by its schema', () => {
    const event = { specversion: '1.0', type, id: 'e-1', data: 'text' };
    expect(refusalOf(event)).to.deep.include({ code: 'schema-violation' });
  });
});

describe('what a channel refuses', () => {
  it('is a body it cannot decode; what the protocol says is kept', () => {
    const { code, partial } = refusalOf('{"type":');
    expect(code).to.equal('body-unreadable');
    expect(partial).to.deep.equal({ id: 'm-1', search: [], learnt: {} });
  });

  it('is a body larger than allowed', () => {
    expect(refusalOf({ ...REQUEST, note: 'x'.repeat(1_048_576) }).code).to.equal('body-too-large');
    const edit: Edit = ['routes.yaml', '    queue: bookings', '    queue: bookings\n    maxBytes: 100B'];
    expect(refusalOf(REQUEST, HEADERS, edit).code).to.equal('body-too-large');
  });

  it('is a body nested too deep', () => {
    expect(refusalOf(`${'['.repeat(65)}${']'.repeat(65)}`).code).to.equal('body-too-deep');
  });

  it('is a message without a type, or with one that has no schema', () => {
    const { type: _, ...untyped } = REQUEST;
    expect(refusalOf(untyped).code).to.equal('type-unknown');
    const { code, details, partial } = refusalOf({ ...REQUEST, type: 'booking.exploded' });
    expect(code).to.equal('type-unknown');
    expect(details).to.deep.equal({
      pointer: '/type',
      rule: 'enum',
      remedy: 'send one of booking.cancel-requested, booking.requested',
    });
    expect(partial).to.include({ booking: 'BK-1', hospital: 'north' });
    expect(partial, 'a word of the sender that is none of ours').not.to.have.property('type');
  });

  it('is what its schema forbids; pointer, rule and remedy say what to do, and no value', () => {
    const { code, details, message, partial } = refusalOf({
      ...REQUEST,
      patient: { id: 42, name: 'Layla Example' },
    });
    expect(code).to.equal('schema-violation');
    expect(details).to.include({ pointer: '/patient/id', rule: 'type' });
    expect(details['remedy']).to.be.a('string');
    expect(JSON.stringify({ details, message })).to.not.match(/42|Layla/);
    expect(partial).to.include({ type: 'booking.requested', booking: 'BK-1', hospital: 'north', id: 'm-1' });
  });

  it('is a hospital that is no system', () => {
    const body = { ...REQUEST, booking: { reference: 'BK-1', hospital: 'south' } };
    const { code, details, partial } = refusalOf(body);
    expect(code).to.equal('hospital-unknown');
    expect(details).to.include({ pointer: '/booking/hospital', remedy: 'send one of dawy, north' });
    expect(partial).to.not.have.property('hospital');
    expect(partial).to.include({ booking: 'BK-1' });
  });

  it('is a message of no booking where there must be one', () => {
    const body = { ...REQUEST, booking: { reference: '', hospital: 'north' } };
    expect(refusalOf(body)).to.deep.include({ code: 'booking-missing' });
  });

  it('is an identifier no key can be made of', () => {
    const reference = (text: string) => ({ ...REQUEST, booking: { reference: text, hospital: 'north' } });
    for (const text of ['x'.repeat(201), 'a\0b']) {
      const { code, partial } = refusalOf(reference(text));
      expect(code).to.equal('key-unusable');
      expect(partial).to.not.have.property('booking');
      expect(partial).to.include({ type: 'booking.requested', hospital: 'north' });
    }
    expect(readingOf(reference('x'.repeat(200))).booking).to.have.length(200);
    expect(refusalOf(REQUEST, { 'amqp.messageId': 'x'.repeat(201) }).code).to.equal('key-unusable');
    expect(refusalOf({ ...REQUEST, patient: { id: 'a\0b', name: 'x' } }).code).to.equal('key-unusable');
  });

  it('is never thrown, whatever arrives', () => {
    const read = reader();
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .anything()
        .map((value) => Buffer.from(JSON.stringify({ ...REQUEST, booking: value, type: value }) ?? '')),
    );
    fc.assert(
      fc.property(anything, (body) => {
        expect(read({ body, headers: HEADERS }).kind).to.be.oneOf(['read', 'refused']);
      }),
    );
  });
});
