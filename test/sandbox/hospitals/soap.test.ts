import { expect } from 'chai';
import { XmlDocument } from 'libxml2-wasm';
import {
  askStmary,
  type Back,
  bookStmary,
  endHospital,
  post,
  type Running,
  startHospital,
} from './running.ts';

const NAMESPACES = { soap: 'http://schemas.xmlsoap.org/soap/envelope/', m: 'urn:stmary:appointments:v1' };

function answered(back: Back) {
  if ('broke' in back) expect.fail(`an answer, not ${back.broke}`);
  const document = XmlDocument.fromString(back.body);
  const at = (path: string) => document.get(`/soap:Envelope/${path}`, NAMESPACES)?.content ?? null;
  return { status: back.status, at };
}

describe('stmary, the hospital that speaks SOAP', function () {
  this.timeout(30_000);
  let stmary: Running;
  before(async () => {
    stmary = await startHospital('soap');
  });
  after(() => endHospital(stmary));
  beforeEach(async () => {
    await stmary.control.heal();
    await stmary.control.reset();
  });

  const APPOINTMENT = 'soap:Body/*/m:Appointment';
  const FAULT = 'soap:Body/soap:Fault';
  const booked = async (reference: string) =>
    String(answered(await bookStmary(stmary, { reference })).at(`${APPOINTMENT}/m:Reference`));
  const act = (operation: string, id: string, more = '') =>
    askStmary(
      stmary,
      operation,
      `<m:Reference>${id}</m:Reference><m:ExternalReference>BK-1</m:ExternalReference>${more}`,
      `key-${operation}`,
    );
  const find = async (operation: string, start = '') => {
    const sought = `<m:ExternalReference>BK-1</m:ExternalReference><m:Operation>${operation}</m:Operation>`;
    const content = start === '' ? sought : `${sought}<m:Start>${start}</m:Start>`;
    const { at } = answered(await askStmary(stmary, 'FindAppointment', content, 'key-find'));
    return at('soap:Body/m:FindAppointmentResponse/m:Found');
  };
  const later = '<m:Start>2026-12-02T11:00:00+03:00</m:Start><m:End>2026-12-02T11:30:00+03:00</m:End>';

  it('books, and relates its answer to our message', async () => {
    const { status, at } = answered(await bookStmary(stmary, { reference: 'BK-1' }, 'key-1'));

    expect(status).to.equal(200);
    expect(at('soap:Header/m:RelatesTo')).to.equal('key-1');
    expect(at('soap:Body/m:BookAppointmentResponse/m:Appointment/m:Status')).to.equal('Booked');
    expect(at(`${APPOINTMENT}/m:Reference`)).to.match(/^SM-\d{6}$/);
    expect(at(`${APPOINTMENT}/m:ExternalReference`)).to.equal('BK-1');
    expect(at(`${APPOINTMENT}/m:Start`)).to.equal('2026-12-02T08:00:00+03:00');
  });

  it('refuses a taken slot by a Client fault with other ones', async () => {
    await booked('BK-1');

    const { status, at } = answered(await bookStmary(stmary, { reference: 'BK-2' }, 'key-2'));

    expect(status).to.equal(500);
    expect(at(`${FAULT}/faultcode`)).to.equal('soap:Client');
    expect(at(`${FAULT}/detail/m:Code`)).to.equal('SLOT_TAKEN');
    expect(at(`${FAULT}/detail/m:Alternatives`)?.split(' ')).to.have.length(3);
    expect(at('soap:Header/m:RelatesTo')).to.equal('key-2');
    expect((await stmary.control.journal()).at(-1)).to.include({
      effect: 'none',
      answer: 'fault SLOT_TAKEN',
    });
  });

  it('moves and cancels by its own reference', async () => {
    const id = await booked('BK-1');

    const moved = answered(await act('MoveAppointment', id, later));
    const cancelled = answered(await act('CancelAppointment', id));

    expect(moved.at('soap:Body/m:MoveAppointmentResponse/m:Appointment/m:Start')).to.contain('T11:00');
    expect(cancelled.at('soap:Body/m:CancelAppointmentResponse/m:Appointment/m:Status')).to.equal(
      'Cancelled',
    );
    expect(answered(await bookStmary(stmary, { reference: 'BK-2' })).status).to.equal(200);
  });

  it('answers a fault for what it does not know', async () => {
    const { at } = answered(await act('CancelAppointment', 'SM-999999'));

    expect(at(`${FAULT}/detail/m:Code`)).to.equal('UNKNOWN');
    expect((await stmary.control.journal()).at(-1)).to.include({
      reference: 'BK-1',
      hospitalRef: 'SM-999999',
    });
  });

  it('books again what it is sent again, and the journal says so', async () => {
    const first = await booked('BK-1');

    const second = await booked('BK-1');

    expect(second).not.to.equal(first);
    const [one, two] = await stmary.control.journal();
    expect(two).to.include({
      effect: 'booked',
      duplicateEffect: true,
      repeatOf: one?.seq,
      hospitalRef: second,
    });
  });

  it('cancels and moves again what it is sent again, and the journal says so', async () => {
    const id = await booked('BK-1');
    for (const operation of ['MoveAppointment', 'MoveAppointment']) await act(operation, id, later);
    for (const operation of ['CancelAppointment', 'CancelAppointment']) await act(operation, id);

    const journal = await stmary.control.journal();

    expect(journal.map(({ effect, duplicateEffect = false }) => [effect, duplicateEffect])).to.deep.equal([
      ['booked', false],
      ['moved', false],
      ['moved', true],
      ['cancelled', false],
      ['cancelled', true],
    ]);
  });

  it('can be asked whether an effect is in place', async () => {
    const early = '2026-12-02T08:00:00+03:00';
    expect(await find('Book', early), 'before the booking').to.equal('false');
    const id = await booked('BK-1');
    expect(await find('Book', '2026-12-02T05:00:00Z'), 'the same instant').to.equal('true');
    expect(await find('Cancel'), 'before the cancel').to.equal('false');
    await act('MoveAppointment', id, later);
    expect(await find('Move', '2026-12-02T11:00:00+03:00'), 'after the move').to.equal('true');
    expect(await find('Book', early), 'the slot it left').to.equal('false');
    await act('CancelAppointment', id);
    expect(await find('Cancel'), 'after the cancel').to.equal('true');
    expect(await find('Move', '2026-12-02T11:00:00+03:00'), 'cancelled').to.equal('false');
  });

  it('does not say cancelled while one of two bookings stands', async () => {
    const id = await booked('BK-1');
    await booked('BK-1');
    await act('CancelAppointment', id);

    expect(await find('Cancel')).to.equal('false');
  });

  const XML = { 'content-type': 'text/xml; charset=utf-8', soapaction: '"BookAppointment"' };
  const OTHER =
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><x:Book xmlns:x="urn:x"/></e:Body></e:Envelope>';
  const unreadable: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ['what is not well-formed', XML, '<a><b></a>'],
    ['another content type', { 'content-type': 'application/json' }, '{}'],
    ['an operation of another namespace', XML, OTHER],
  ];
  for (const [what, headers, body] of unreadable) {
    it(`answers a Client fault to ${what}`, async () => {
      const { at } = answered(await post(stmary.address, headers, body));

      expect(at(`${FAULT}/faultcode`)).to.equal('soap:Client');
      expect(at(`${FAULT}/detail/m:Code`)).to.equal('INVALID');
      expect((await stmary.control.journal()).at(-1)).to.include({ operation: 'unreadable', effect: 'none' });
    });
  }

  it('reads and writes hostile text without harm', async () => {
    const reference = 'BK-&lt;m:Found&gt;true ]]&gt; &amp; &quot; ليلى';

    const { at } = answered(await bookStmary(stmary, { reference }, 'key-&lt;1&gt;'));

    expect(at(`${APPOINTMENT}/m:ExternalReference`)).to.equal('BK-<m:Found>true ]]> & " ليلى');
    expect(at('soap:Header/m:RelatesTo')).to.equal('key-<1>');
  });
});
