import { expect } from 'chai';
import type { Facts } from '../../../engine/facts.ts';
import type { ChannelName, Message, MessageId, RouteName, SystemName } from '../../../engine/message.ts';
import { type Edit, edited, planOf } from './network.ts';

const BODY = {
  type: 'booking.requested',
  booking: { reference: 'BK-1', hospital: 'north' },
  slot: { start: '2026-12-02T08:00:00+03:00' },
  patient: { id: '0012345', name: 'Layla Example' },
};

function message(body: unknown = BODY, more: Partial<Message> = {}): Message {
  return {
    id: '0' as MessageId,
    correlation: 'BK-1',
    cause: null,
    channel: 'dawy-in' as ChannelName,
    type: 'booking.requested',
    hospital: 'north' as SystemName,
    headers: {},
    form: 'json',
    body,
    receivedAt: new Date('2026-12-01T10:00:00Z'),
    ...more,
  };
}

function facts(hospitalRef?: string): Facts {
  const booking = {
    reference: 'BK-1',
    state: 'confirmed',
    ...(hospitalRef === undefined ? {} : { hospitalRef }),
  };
  return {
    booking,
    edition: { key: 'key-1' },
    system: { name: 'north' as SystemName, timeZone: 'Asia/Riyadh' },
  };
}

const route = (...edits: readonly Edit[]) => planOf(edited(...edits)).routes.get('to-north' as RouteName)!;
const kept = (body: unknown = BODY, more: Partial<Message> = {}) =>
  message(Buffer.from(JSON.stringify(body)), { form: 'bytes', ...more });
const jsonOf = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString('utf8'));

describe('a route', () => {
  it('takes the types it has templates for, from the hospital it names', () => {
    const { matches } = route();
    expect(matches(message())).to.equal(true);
    expect(matches(message(BODY, { type: 'booking.cancel-requested' }))).to.equal(true);
    expect(matches(message(BODY, { type: 'booking.reschedule-requested' }))).to.equal(false);
    expect(matches(message(BODY, { hospital: 'dawy' as SystemName }))).to.equal(false);
  });

  it('takes what has one of several values at a path', () => {
    const { matches } = route([
      'routes.yaml',
      '{ hospital: north }',
      '{ /patient/id: [1, 0012345], type: booking.requested }',
    ]);
    expect(matches(message())).to.equal(true);
    expect(matches(message({ ...BODY, patient: { id: '1' } }))).to.equal(true);
    expect(matches(message({ ...BODY, patient: { id: '12345' } }))).to.equal(false);
    expect(matches(message({ ...BODY, patient: {} }))).to.equal(false);
    expect(matches(message(BODY, { type: 'booking.cancel-requested' }))).to.equal(false);
  });

  it('does the same with the bytes that were kept as with the decoded body', () => {
    const { matches, render, orderingKey, notAfter } = route([
      'routes.yaml',
      '{ hospital: north }',
      '{ /patient/id: 0012345 }',
    ]);
    expect(matches(kept())).to.equal(true);
    expect(render(kept(), facts())).to.deep.equal(render(message(), facts()));
    expect(orderingKey(kept(), 'BK-1')).to.equal('BK-1');
    expect(notAfter(kept())).to.deep.equal(notAfter(message()));
  });

  it('takes kept bytes out of their CloudEvents envelope', () => {
    const { type, ...data } = BODY;
    const event = { specversion: '1.0', type, id: 'e-1', data };
    expect(jsonOf(route().render(kept(event), facts()).body)).to.include({ name: 'Layla Example' });
  });

  it('is found by where it comes from, in the order of the file', () => {
    const plan = planOf();
    const names = (channel: string) => plan.routesFrom(channel as ChannelName).map(({ name }) => name);
    expect(names('dawy-in')).to.deep.equal(['to-north']);
    expect(names('bookings')).to.deep.equal(['tell-dawy']);
    expect(names('dawy-out')).to.deep.equal([]);
  });

  it('orders deliveries by the booking, or by the lane it names', () => {
    expect(route().orderingKey(message(), 'BK-1')).to.equal('BK-1');
    expect(route().orderingKey(message(), null)).to.equal(null);
    const { orderingKey } = route([
      'routes.yaml',
      '    to: north-out',
      '    lane: /patient/id\n    to: north-out',
    ]);
    expect(orderingKey(message(), 'BK-1')).to.equal('0012345');
    expect(orderingKey(message({ ...BODY, patient: {} }), 'BK-1')).to.equal('BK-1');
  });

  it('ends at the instant it names, and never guesses one', () => {
    const at = (start: unknown) => route().notAfter(message({ ...BODY, slot: { start } }));
    expect(at('2026-12-02T08:00:00+03:00')).to.deep.equal(new Date('2026-12-02T05:00:00Z'));
    for (const none of [undefined, '2026-12-02T08:00:00', '2026-12-02', 'soon', 12, '2026-13-45T08:00:00Z']) {
      expect(at(none), String(none)).to.equal(null);
    }
  });

  it('is tried as it says, and as usual where it says nothing', () => {
    expect(route().retry).to.deep.equal({ attempts: 8, firstMs: 1_000, maxMs: 300_000, forMs: 86_400_000 });
    const tell = planOf().routes.get('tell-dawy' as RouteName)!;
    expect(tell.retry).to.deep.equal({ attempts: 8, firstMs: 5_000, maxMs: 600_000, forMs: 86_400_000 });
    expect(tell.notAfter(message())).to.equal(null);
    expect([tell.onDead, tell.readAnswer]).to.deep.equal(['block', null]);
  });
});

describe('what a route renders', () => {
  const cancel = message(
    { type: 'booking.cancel-requested', booking: BODY.booking },
    { type: 'booking.cancel-requested' },
  );

  it('is the template of the type, with the envelope and its defaults', () => {
    const { body, envelope } = route().render(message(), facts());
    expect(jsonOf(body)).to.deep.equal({ start: BODY.slot.start, name: 'Layla Example', key: 'key-1' });
    expect(envelope).to.deep.equal({ method: 'POST', path: '/appointments' });
  });

  it('has facts in its envelope, each as one segment of the path', () => {
    expect(route().render(cancel, facts('AN 1/7?x#é')).envelope['path']).to.equal(
      '/appointments/AN%201%2F7%3Fx%23%C3%A9/cancel',
    );
  });

  it('is refused while a fact is missing', () => {
    expect(() => route().render(cancel, facts()))
      .to.throw()
      .with.property('code', 'fact-missing');
  });

  it('never lets a value lead to another path or header', () => {
    for (const value of ['..', '.', '', 'a\r\nb', 'a\0b']) {
      expect(() => route().render(cancel, facts(value)), value)
        .to.throw()
        .with.property('code', 'output-invalid');
    }
  });

  it('may use code maps in its envelope', () => {
    const { render } = route([
      'routes.yaml',
      '{{booking.hospitalRef}}/cancel',
      '{{code "status" booking.hospitalRef}}/cancel',
    ]);
    expect(render(cancel, facts('NEW')).envelope['path']).to.equal('/appointments/010/cancel');
  });

  it('is nothing for a type without a template', () => {
    const other = message(BODY, { type: 'booking.moved' });
    expect(() => route().render(other, facts()))
      .to.throw()
      .with.property('code', 'render-failed');
  });

  it('uses the code maps of the system it goes to, as they are written', () => {
    const { render } = route([
      'cancel.json.yaml',
      '{{optional message.reason}}',
      '{{code "status" message.booking.reference}}',
    ]);
    const sent = (reference: string) => {
      const body = { type: 'booking.cancel-requested', booking: { reference, hospital: 'north' } };
      return jsonOf(render(message(body, { type: 'booking.cancel-requested' }), facts('R')).body);
    };
    expect(sent('NEW')).to.deep.equal({ reason: '010' });
    expect(sent('007')).to.deep.equal({ reason: 'A0' });
    expect(() => sent('OLD'))
      .to.throw()
      .with.property('code', 'code-missing');
  });
});

describe('what an answer means', () => {
  const read = (answer: unknown, asked = message(), ...edits: readonly Edit[]) =>
    route(...edits).readAnswer!(
      Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)),
      asked,
      facts(),
    );

  it('is the first entry that holds, and what booking and entry learn from it', () => {
    expect(read({ status: 'MOVED', id: 'AN-1', why: 'first', code: 'C' })).to.deep.equal({
      kind: 'means',
      event: 'booking.confirmed',
      learnt: { hospitalRef: 'AN-1', reason: 'C' },
      form: 'json',
    });
  });

  it('depends on what was asked', () => {
    const asked = message(BODY, { type: 'booking.cancel-requested' });
    expect(read({ status: 'BOOKED' }, asked)).to.deep.include({ kind: 'refused' });
    expect(read({ status: 'CANCELLED' }, asked)).to.deep.include({ event: 'booking.cancelled' });
  });

  it('may be nothing', () => {
    expect(read({ status: 'NOTED', why: '' })).to.deep.equal({
      kind: 'means',
      event: null,
      learnt: {},
      form: 'json',
    });
  });

  it('is unmapped when none holds, unreadable when it cannot be decoded', () => {
    const codes = ['{"status":"ODD"}', '{"status":', '', '[]'].map((answer) => {
      const reading = read(answer);
      return reading.kind === 'refused' ? reading.error.code : reading.kind;
    });
    expect(codes).to.deep.equal([
      'answer-unmapped',
      'answer-unreadable',
      'answer-unreadable',
      'answer-unmapped',
    ]);
  });

  it('is refused when the hospital names its booking by what cannot be a key', () => {
    const reading = read({ status: 'CANCELLED', id: 'x'.repeat(201) });
    expect(reading).to.have.nested.property('error.code', 'key-unusable');
  });

  it('is found below the root of XML', () => {
    const soap =
      '<s:Envelope xmlns:s="urn:s"><s:Body><BookResponse><Status>Booked</Status><Ref>007</Ref></BookResponse></s:Body></s:Envelope>';
    const reading = read(
      soap,
      message(),
      ['routes.yaml', 'code: /code\n', 'code: Body/Fault/Code\n'],
      [
        'routes.yaml',
        'as: json\n      learn: { hospitalRef: /id, reason: /why }',
        'as: xml\n      learn: { hospitalRef: Body/*/Ref }',
      ],
      [
        'routes.yaml',
        '{ /status: [BOOKED, MOVED], asked: booking.requested }, event: booking.confirmed, learn: { reason: /code }',
        '{ Body/*/Status: Booked }, event: booking.confirmed',
      ],
      ['routes.yaml', '{ /status: CANCELLED }', '{ Body/*/Status: Cancelled }'],
      ['routes.yaml', '{ /status: NOTED }', '{ Body/*/Status: Noted }'],
    );
    expect(reading).to.deep.equal({
      kind: 'means',
      event: 'booking.confirmed',
      learnt: { hospitalRef: '007' },
      form: 'xml',
    });
  });
});

describe('a probe', () => {
  const probe = () => planOf().outbound.get('north-out' as ChannelName)!.probe!;
  const says = (answer: string) => probe().says(Buffer.from(answer), message(), facts());

  it('asks about the message that was sent', () => {
    const { body, envelope } = probe().render(kept(), facts());
    expect(jsonOf(body)).to.deep.equal({});
    expect(envelope).to.deep.equal({ method: 'GET', path: '/appointments/BK-1' });
    expect(probe().settleAfterMs).to.equal(2_000);
  });

  it('is answered by the first entry that holds', () => {
    expect([says('{"found":true}'), says('{"found":false}')]).to.deep.equal(['taken', 'absent']);
  });

  it('is not answered by what says neither, or cannot be read', () => {
    expect([says('{}'), says('{"found":"maybe"}'), says('<html>'), says('')]).to.deep.equal([
      null,
      null,
      null,
      null,
    ]);
  });
});
