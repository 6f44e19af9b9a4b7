import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { AppendLog } from '../../../sandbox/hospitals/log.ts';

describe('the append log of a hospital', () => {
  let folder = '';
  const path = () => join(folder, 'log.jsonl');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'log-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('has a line on disk when append resolves, in the order of the calls', async () => {
    const { log } = await AppendLog.open(path());
    const numbers = Array.from({ length: 500 }, (_, number) => String(number));

    await Promise.all(numbers.map((number) => log.append(number)));

    expect((await readFile(path(), 'utf8')).split('\n')).to.deep.equal([...numbers, '']);
    expect(log.syncs, 'lines that arrive together share a sync').to.equal(1);
    await log.close();
  });

  it('gives back what was appended, and goes on after it', async () => {
    const first = await AppendLog.open(path());
    await first.log.append('one');
    await first.log.close();
    const second = await AppendLog.open(path());
    await second.log.append('two');
    await second.log.close();

    const { log, lines } = await AppendLog.open(path());

    expect(lines).to.deep.equal(['one', 'two']);
    await log.close();
  });

  it('cuts off a torn last line and writes the next one whole', async () => {
    const first = await AppendLog.open(path());
    await first.log.append('one');
    await first.log.close();
    await appendFile(path(), '{"torn');

    const { log, lines } = await AppendLog.open(path());
    await log.append('two');
    await log.close();

    expect(lines).to.deep.equal(['one']);
    expect(await readFile(path(), 'utf8')).to.equal('one\ntwo\n');
  });

  it('replaces what was appended before and keeps what is appended after', async () => {
    const { log } = await AppendLog.open(path());

    await Promise.all([log.append('before'), log.replace(['start']), log.append('after')]);
    await log.append('last');
    await log.close();

    expect(await readFile(path(), 'utf8')).to.equal('start\nafter\nlast\n');
  });

  it('takes nothing more after a write has failed', async () => {
    const { log } = await AppendLog.open(path());
    await log.close();

    const outcomes = await Promise.allSettled([log.append('lost'), log.append('lost too')]);
    const afterwards = await Promise.allSettled([log.append('refused'), log.flush()]);

    for (const { status } of [...outcomes, ...afterwards]) expect(status).to.equal('rejected');
  });
});
