import { expect } from 'chai';
import { type Back, bookAlnoor, endHospital, post, type Running, startHospital } from './running.ts';

function answered(back: Back) {
  if ('broke' in back) expect.fail(`an answer, not ${back.broke}`);
  return { status: back.status, body: JSON.parse(back.body) as Record<string, unknown> };
}

describe('alnoor, the hospital that speaks JSON', function () {
  this.timeout(30_000);
  let alnoor: Running;
  before(async () => {
    alnoor = await startHospital('rest');
  });
  after(() => endHospital(alnoor));
  beforeEach(async () => {
    await alnoor.control.heal();
    await alnoor.control.reset();
  });

  const act = (path: string, body: unknown, key: string) =>
    post(
      `${alnoor.address}/appointments/${path}`,
      { 'content-type': 'application/json', 'idempotency-key': key },
      JSON.stringify(body),
    );
  const booked = async (reference: string) =>
    String(answered(await bookAlnoor(alnoor, { reference })).body['id']);

  it('books, and repeats our key and reference in its answer', async () => {
    const { status, body } = answered(await bookAlnoor(alnoor, { reference: 'BK-1' }, 'key-1'));

    expect(status).to.equal(201);
    expect(body).to.deep.equal({
      requestKey: 'key-1',
      id: body['id'],
      externalReference: 'BK-1',
      status: 'BOOKED',
      start: '2026-12-02T08:00:00+03:00',
      end: '2026-12-02T08:30:00+03:00',
    });
    expect(body['id']).to.match(/^AN-\d{6}$/);
  });

  it('refuses a taken slot with other ones', async () => {
    await booked('BK-1');

    const { status, body } = answered(await bookAlnoor(alnoor, { reference: 'BK-2' }));

    expect(status).to.equal(409);
    expect(body).to.deep.include({ requestKey: 'key-BK-2', code: 'SLOT_TAKEN' });
    expect(body['alternatives']).to.have.length(3);
  });

  it('moves and cancels by its own reference, and gives the freed slot away', async () => {
    const id = await booked('BK-1');
    const slot = { start: '2026-12-02T11:00:00+03:00', end: '2026-12-02T11:30:00+03:00' };

    expect(answered(await act(`${id}/reschedule`, slot, 'key-2'))).to.deep.include({ status: 200 });
    expect(answered(await bookAlnoor(alnoor, { reference: 'BK-2' })).status).to.equal(201);
    const cancelled = answered(await act(`${id}/cancel`, { reason: 'ill' }, 'key-3'));

    expect(cancelled.body).to.include({ status: 'CANCELLED', externalReference: 'BK-1' });
    const journal = await alnoor.control.journal();
    expect(journal.map(({ effect, reference }) => `${effect} ${reference}`)).to.deep.equal([
      'booked BK-1',
      'moved BK-1',
      'booked BK-2',
      'cancelled BK-1',
    ]);
  });

  it('shows an appointment, and answers 404 for one it does not know', async () => {
    const id = await booked('BK-1');

    expect(answered(await post(`${alnoor.address}/appointments/${id}`, {}, '')).body).to.include({ id });
    expect(answered(await post(`${alnoor.address}/appointments/AN-999999`, {}, '')).status).to.equal(404);
    expect(answered(await act('AN-999999/cancel', {}, 'key-9'))).to.deep.include({ status: 404 });
    expect(answered(await post(`${alnoor.address}/health`, {}, '')).status).to.equal(200);
  });

  it('answers a repeated key with the stored answer, without a second effect', async () => {
    const first = await bookAlnoor(alnoor, { reference: 'BK-1' }, 'key-1');

    const second = await bookAlnoor(alnoor, { reference: 'BK-1' }, 'key-1');

    expect(answered(second)).to.deep.equal(answered(first));
    const [effect, repeat] = await alnoor.control.journal();
    expect(effect).to.include({ effect: 'booked' });
    expect(repeat).to.include({ effect: 'none', repeatOf: effect?.seq, answer: '201' });
  });

  it('answers a repeated key with the old no even when the slot is free by now', async () => {
    const id = await booked('BK-1');
    const no = answered(await bookAlnoor(alnoor, { reference: 'BK-2' }));
    await act(`${id}/cancel`, {}, 'key-c');

    expect(answered(await bookAlnoor(alnoor, { reference: 'BK-2' }))).to.deep.equal(no);
  });

  it('refuses a key that comes with another request', async () => {
    await bookAlnoor(alnoor, { reference: 'BK-1' }, 'key-1');

    const { status, body } = answered(await bookAlnoor(alnoor, { reference: 'BK-2' }, 'key-1'));

    expect(status).to.equal(422);
    expect(body).to.include({ code: 'KEY_REUSED' });
    expect((await alnoor.control.journal()).at(-1))
      .to.include({ effect: 'none' })
      .and.not.have.property('repeatOf');
  });

  it('books the same reference again under another key, and the journal says so', async () => {
    await bookAlnoor(alnoor, { reference: 'BK-1' }, 'key-1');
    await bookAlnoor(alnoor, { reference: 'BK-1' }, 'key-2');

    const [first, second] = await alnoor.control.journal();

    expect(second).to.include({ effect: 'booked', duplicateEffect: true, repeatOf: first?.seq });
    expect((await alnoor.control.status()).duplicateEffects).to.equal(1);
  });

  const unreadable: readonly (readonly [string, string])[] = [
    ['what is not JSON', '{"externalReference":'],
    ['a list', '[]'],
    [
      'a patient number that is a number',
      JSON.stringify({ externalReference: 'BK-1', patient: { id: 12345 } }),
    ],
  ];
  for (const [what, body] of unreadable) {
    it(`answers 422 to ${what}, and keeps nothing under the key`, async () => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'key-1' };

      const back = answered(await post(`${alnoor.address}/appointments`, headers, body));

      expect(back).to.deep.include({ status: 422 });
      expect(back.body['code']).to.equal('INVALID');
      expect(answered(await bookAlnoor(alnoor, { reference: 'BK-1' }, 'key-1')).status).to.equal(201);
    });
  }

  it('keeps text as text: leading zeros, plus signs, names in any script', async () => {
    const patient = {
      id: '0012345',
      name: 'ليلى مثال "\\ ]]> &',
      birthDate: '1990-04-01',
      phone: '+966500000001',
    };
    const slot = { start: '2026-12-02T08:00:00+03:00', end: '2026-12-02T08:30:00+03:00' };
    const body = JSON.stringify({ externalReference: '0007', doctorId: '1e5', ...slot, patient });
    await post(`${alnoor.address}/appointments`, { 'content-type': 'application/json' }, body);

    const [appointment] = await alnoor.control.calendar();

    expect(appointment).to.deep.include({ reference: '0007', doctor: '1e5', patient });
  });
});
