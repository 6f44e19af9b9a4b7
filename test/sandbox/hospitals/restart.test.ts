import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { effects, journalOnDisk } from '../../support/journal.ts';
import {
  askStmary,
  bookAlnoor,
  bookStmary,
  endHospital,
  MAIN,
  type Running,
  startHospital,
  startOf,
} from './running.ts';

const SENDERS = 16;

describe('a hospital that is killed', function () {
  this.timeout(60_000);
  const started: Running[] = [];
  const start = async (kind: 'rest' | 'soap', folder?: string) => {
    const hospital = await startHospital(kind, folder);
    started.push(hospital);
    return hospital;
  };
  afterEach(async () => {
    await Promise.all(started.splice(0).map(endHospital));
  });

  for (const kind of ['rest', 'soap'] as const) {
    it(`has every effect it answered for, in its calendar and journal (${kind})`, async () => {
      const hospital = await start(kind);
      const book = kind === 'rest' ? bookAlnoor : bookStmary;
      const answered: string[] = [];
      let next = 0;
      let gone = false;
      let killed: Promise<void> | null = null;
      const sender = async () => {
        while (!gone) {
          const number = next++;
          const back = await book(hospital, { reference: `BK-${number}`, ...startOf(number) });
          if ('status' in back && back.status < 300) answered.push(`BK-${number}`);
          gone ||= 'broke' in back;
          if (answered.length >= 300) killed ??= hospital.kill('SIGKILL');
        }
      };

      await Promise.all(Array.from({ length: SENDERS }, sender));
      await killed;
      const onDisk = effects(await journalOnDisk(hospital.folder, kind === 'rest' ? 'alnoor' : 'stmary'));
      const again = await start(kind, hospital.folder);

      const journal = effects(await again.control.journal());
      const calendar = await again.control.calendar();
      expect(answered).to.have.length.at.least(300);
      expect(journal).to.deep.equal(onDisk);
      const journaled = journal.map(({ reference }) => reference);
      expect(journaled).to.include.members(answered);
      expect(new Set(journaled).size).to.equal(journaled.length);
      expect(calendar.map(({ reference }) => reference)).to.have.members(journaled);
      expect(journal.map(({ seq }) => seq)).to.deep.equal(journal.map((_, index) => index + 1));
    });
  }

  it('answers a key from before as it did then, without a second effect', async () => {
    const first = await start('rest');
    const before = await bookAlnoor(first, { reference: 'BK-1' });
    await first.kill('SIGKILL');
    const second = await start('rest', first.folder);

    const after = await bookAlnoor(second, { reference: 'BK-1' });

    expect('body' in after && after.body).to.equal('body' in before && before.body);
    expect(effects(await second.control.journal())).to.have.length(1);
  });

  it('still holds its slots, knows its references and goes on with its numbers', async () => {
    const first = await start('soap');
    await bookStmary(first, { reference: 'BK-1' });
    await first.kill('SIGKILL');
    const second = await start('soap', first.folder);

    const taken = await bookStmary(second, { reference: 'BK-2' });
    await askStmary(second, 'CancelAppointment', '<m:Reference>SM-000001</m:Reference>', 'key-c');
    const free = await bookStmary(second, { reference: 'BK-2' });

    expect('body' in taken && taken.body).to.contain('SLOT_TAKEN');
    expect('body' in free && free.body).to.contain('SM-000002');
  });

  it('starts with a torn last line', async () => {
    const first = await start('rest');
    await bookAlnoor(first, { reference: 'BK-1' });
    await first.kill('SIGKILL');
    await appendFile(join(first.folder, 'alnoor.jsonl'), '{"line":{"seq":2,"at":"20');

    const second = await start('rest', first.folder);
    await bookAlnoor(second, { reference: 'BK-2', doctor: 'DR-2' });

    const journal = await second.control.journal();
    expect(journal.map(({ seq, reference }) => [seq, reference])).to.deep.equal([
      [1, 'BK-1'],
      [2, 'BK-2'],
    ]);
  });

  it('has forgotten after a reset, also when it is killed then', async () => {
    const first = await start('rest');
    await bookAlnoor(first, { reference: 'BK-1' });
    await first.control.reset();
    await first.kill('SIGKILL');

    const second = await start('rest', first.folder);

    expect(await second.control.journal()).to.be.empty;
    const back = await bookAlnoor(second, { reference: 'BK-1' });
    expect('body' in back && back.body).to.contain('AN-000002');
  });

  it('serves two thousand requests of many senders, each once and in one order', async () => {
    const hospital = await start('rest');
    const numbers = Array.from({ length: 2000 }, (_, number) => number);
    const statuses: number[] = [];
    const sender = async () => {
      for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
        const back = await bookAlnoor(hospital, { reference: `BK-${number}`, ...startOf(number) });
        statuses.push('status' in back ? back.status : 0);
      }
    };

    await Promise.all(Array.from({ length: 64 }, sender));

    const journal = await hospital.control.journal();
    expect(statuses).to.deep.equal(Array.from({ length: 2000 }, () => 201));
    expect(new Set(journal.map(({ reference }) => reference)).size).to.equal(2000);
    expect(journal.map(({ seq }) => seq)).to.deep.equal(journal.map((_, index) => index + 1));
  });

  it('lets no second process write into its folder, and says which one is there', async () => {
    const hospital = await start('rest');

    const second = spawn(process.execPath, [
      MAIN,
      '--name',
      'alnoor',
      '--kind',
      'rest',
      '--data',
      hospital.folder,
    ]);
    const said = text(second.stderr);
    const [code] = (await once(second, 'close')) as [number];

    expect(code).to.equal(1);
    expect(await said).to.contain(`kill ${hospital.child.pid}`);
  });

  it('ends in peace when it is asked to', async () => {
    const hospital = await start('rest');
    await bookAlnoor(hospital, { reference: 'BK-1' });

    await hospital.kill('SIGTERM');

    expect(hospital.child.exitCode).to.equal(0);
  });
});
