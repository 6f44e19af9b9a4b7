import { expect } from 'chai';
import type { JournalLine } from '../../../sandbox/hospitals/journal.ts';
import type { Mode } from '../../../sandbox/hospitals/misbehaviour.ts';
import { type Back, bookAlnoor, bookStmary, endHospital, type Running, startHospital } from './running.ts';

const SPEAKING = { rest: bookAlnoor, soap: bookStmary };

/** The line of a request, once the hospital has seen it. */
async function journaled(hospital: Running, key: string): Promise<JournalLine> {
  for (;;) {
    const line = (await hospital.control.journal()).find((other) => other.key === key);
    if (line !== undefined) return line;
  }
}

/** What the sender sees, and what the journal says, of one booking under one misbehaviour. */
interface Row {
  readonly mode: Mode;
  readonly options?: Readonly<Record<string, number>>;
  readonly effect: 'booked' | 'none';
  readonly answer: Readonly<Record<'rest' | 'soap', string>>;
  readonly sees: (back: Back, kind: 'rest' | 'soap') => void;
}

function broken(code: string): Row['sees'] {
  return (back) => expect(back).to.deep.equal({ broke: code });
}

function says(rest: RegExp, soap: RegExp): Row['sees'] {
  return (back, kind) => {
    if ('broke' in back) expect.fail(`an answer, not ${back.broke}`);
    const heading = `${back.status} ${back.headers['retry-after'] ?? ''}`;
    expect(`${heading} ${back.body}`).to.match(kind === 'rest' ? rest : soap);
  };
}

function unreadable(back: Back): void {
  if ('broke' in back) expect.fail(`an answer, not ${back.broke}`);
  expect(() => JSON.parse(back.body)).to.throw();
  expect(back.body).not.to.contain('</soap:Envelope>');
}

const ROWS: readonly Row[] = [
  { mode: 'silent', effect: 'none', answer: { rest: 'silent', soap: 'silent' }, sees: broken('patience') },
  {
    mode: 'silent-after',
    effect: 'booked',
    answer: { rest: 'silent', soap: 'silent' },
    sees: broken('patience'),
  },
  {
    mode: 'reset-before',
    effect: 'none',
    answer: { rest: 'reset', soap: 'reset' },
    sees: broken('ECONNRESET'),
  },
  {
    mode: 'reset-after',
    effect: 'booked',
    answer: { rest: 'reset', soap: 'reset' },
    sees: broken('ECONNRESET'),
  },
  {
    mode: 'late-answer',
    options: { delayMs: 60_000 },
    effect: 'booked',
    answer: { rest: 'late 201', soap: 'late 200' },
    sees: broken('patience'),
  },
  {
    mode: 'other-answer',
    effect: 'booked',
    answer: { rest: 'other 201', soap: 'other 200' },
    sees: says(
      /201 .*"requestKey":"another-.*"externalReference":"BK-0"/,
      /RelatesTo>another-.*Reference>BK-0</,
    ),
  },
  {
    mode: 'two-answers',
    effect: 'booked',
    answer: { rest: 'twice 201', soap: 'twice 200' },
    sees: says(/201/, /Booked/),
  },
  {
    mode: 'empty-answer',
    effect: 'booked',
    answer: { rest: 'empty 201', soap: 'empty 200' },
    sees: says(/^201 *$/, /^200 *$/),
  },
  { mode: 'garbage', effect: 'booked', answer: { rest: 'garbage', soap: 'garbage' }, sees: unreadable },
  {
    mode: 'decline',
    effect: 'none',
    answer: { rest: '409 SLOT_TAKEN', soap: 'fault SLOT_TAKEN' },
    sees: says(/409 .*SLOT_TAKEN.*alternatives/, /500 .*soap:Client.*SLOT_TAKEN.*Alternatives/),
  },
  {
    mode: 'wrong',
    effect: 'none',
    answer: { rest: '422 INVALID', soap: 'fault INVALID' },
    sees: says(/422 .*INVALID/, /500 .*soap:Client.*INVALID/),
  },
  {
    mode: 'rate-limit',
    options: { retryAfterSeconds: 3 },
    effect: 'none',
    answer: { rest: '429 BUSY', soap: 'fault BUSY' },
    sees: says(/^429 3 /, /500 .*soap:Server.*BUSY/),
  },
  {
    mode: 'slow',
    options: { delayMs: 20 },
    effect: 'booked',
    answer: { rest: '201', soap: '200' },
    sees: says(/201/, /Booked/),
  },
];

for (const kind of ['rest', 'soap'] as const) {
  describe(`a ${kind} hospital told to misbehave`, function () {
    this.timeout(30_000);
    let hospital: Running;
    before(async () => {
      hospital = await startHospital(kind);
    });
    after(() => endHospital(hospital));
    beforeEach(async () => {
      await hospital.control.heal();
      await hospital.control.reset();
      await SPEAKING[kind](hospital, { reference: 'BK-0', doctor: 'DR-0' });
    });

    for (const { mode, options, effect, answer, sees } of ROWS) {
      it(`${mode}: ${effect === 'none' ? 'no effect' : 'the effect'}, journaled as ${answer[kind]}`, async () => {
        await hospital.control.break(mode, options);

        const patience = new AbortController();
        const sent = SPEAKING[kind](hospital, { reference: 'BK-1' }, 'key-1', patience.signal);
        const line = await journaled(hospital, 'key-1');
        if (/silent|late/.test(answer[kind])) {
          // Others are answered meanwhile: this one waits for nothing but its misbehaviour.
          await hospital.control.status();
          patience.abort();
        }

        sees(await sent, kind);
        expect(line).to.include({ misbehaviour: mode, reference: 'BK-1', effect, answer: answer[kind] });
        const calendar = await hospital.control.calendar();
        expect(calendar.some(({ reference }) => reference === 'BK-1')).to.equal(effect === 'booked');
      });
    }

    it('down: refuses connections until healed, and sees nothing', async () => {
      await hospital.control.break('down');

      const back = await SPEAKING[kind](hospital, { reference: 'BK-1' });
      const during = await hospital.control.status();
      await hospital.control.heal();

      expect(back).to.deep.equal({ broke: 'ECONNREFUSED' });
      expect(during).to.include({ listening: false, requests: 1 });
      expect(await SPEAKING[kind](hospital, { reference: 'BK-1' })).to.have.property('status');
    });

    it('misbehaves at the given rate and then no more', async () => {
      await hospital.control.break('wrong', { rate: 0.5, seed: 3, times: 5 });
      for (let number = 1; number <= 30; number += 1)
        await SPEAKING[kind](hospital, { reference: `BK-${number}`, doctor: `DR-${number}` });

      const journal = await hospital.control.journal();

      expect(journal.filter(({ misbehaviour }) => misbehaviour === 'wrong')).to.have.length(5);
      expect((await hospital.control.status()).misbehaviours).to.be.empty;
    });

    it('says why it will not misbehave as told', async () => {
      const problem = await hospital.control
        .break('silent', { rate: 7 })
        .catch((thrown: Error) => thrown.message);

      expect(problem).to.equal('rate is a share from 0 to 1');
    });

    it('goes on with both series of numbers after a reset', async () => {
      const [before] = await hospital.control.calendar();
      const [line] = await hospital.control.journal();
      await hospital.control.reset();
      expect(await hospital.control.calendar()).to.be.empty;
      expect(await hospital.control.journal()).to.be.empty;

      await SPEAKING[kind](hospital, { reference: 'BK-0', doctor: 'DR-0' });

      const [after] = await hospital.control.calendar();
      expect(Number(after?.hospitalRef.slice(3))).to.equal(Number(before?.hospitalRef.slice(3)) + 1);
      expect((await hospital.control.journal())[0]?.seq).to.equal((line?.seq ?? 0) + 1);
    });
  });
}

describe('two misbehaviours that touch what the hospital promised', function () {
  this.timeout(30_000);

  it('alnoor: a repeat after a reset gets the true answer, whatever lie is on', async () => {
    const alnoor = await startHospital('rest');
    try {
      await alnoor.control.break('reset-after', { times: 1 });
      await bookAlnoor(alnoor, { reference: 'BK-1' });
      await alnoor.control.break('decline');

      const back = await bookAlnoor(alnoor, { reference: 'BK-1' });

      expect(back).to.include({ status: 201 });
      const journal = await alnoor.control.journal();
      expect(journal.map(({ effect, answer }) => [effect, answer])).to.deep.equal([
        ['booked', 'reset'],
        ['none', '201'],
      ]);
      expect(journal[1]).to.include({ repeatOf: 1 }).and.not.have.property('misbehaviour');
    } finally {
      await endHospital(alnoor);
    }
  });

  it('stmary: faults come with HTTP 200 when told to; alnoor knows no faults', async () => {
    const [stmary, alnoor] = await Promise.all([startHospital('soap'), startHospital('rest')]);
    try {
      await bookStmary(stmary, { reference: 'BK-1' });
      await stmary.control.break('fault-200');

      const back = await bookStmary(stmary, { reference: 'BK-2' });

      expect(back).to.include({ status: 200 });
      expect('body' in back && back.body).to.contain('<m:Code>SLOT_TAKEN</m:Code>');
      const refused = await alnoor.control.break('fault-200').catch((thrown: Error) => thrown.message);
      expect(refused).to.equal('fault-200 is for SOAP; alnoor speaks rest');
    } finally {
      await Promise.all([endHospital(stmary), endHospital(alnoor)]);
    }
  });
});
