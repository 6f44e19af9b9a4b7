import { expect } from 'chai';
import {
  type Misbehaviour,
  type MisbehaviourOptions,
  Misbehaviours,
  type Mode,
  readMisbehaviour,
} from '../../../sandbox/hospitals/misbehaviour.ts';

function misbehaviour(mode: Mode, options: MisbehaviourOptions = {}): Misbehaviour {
  const read = readMisbehaviour({ mode, ...options }, 1);
  return typeof read === 'string' ? expect.fail(read) : read;
}

function unwatched(): Misbehaviours {
  return new Misbehaviours(() => Promise.resolve());
}

async function fates(options: MisbehaviourOptions, requests: number): Promise<readonly boolean[]> {
  const misbehaviours = unwatched();
  await misbehaviours.start(misbehaviour('reset-after', options));
  return Array.from({ length: requests }, () => misbehaviours.choose('book', 'BK-1').mode !== null);
}

describe('misbehaviours', () => {
  it('let everything pass when none is on', () => {
    expect(unwatched().choose('book', 'BK-1')).to.deep.include({ mode: null, names: [] });
  });

  it('happen at the given rate', async () => {
    const hits = (await fates({ rate: 0.3 }, 4000)).filter(Boolean).length;

    expect(hits / 4000).to.be.within(0.25, 0.35);
  });

  it('happen to the same requests for the same seed, and to others for another', async () => {
    const first = await fates({ rate: 0.5, seed: 7 }, 200);

    expect(await fates({ rate: 0.5, seed: 7 }, 200)).to.deep.equal(first);
    expect(await fates({ rate: 0.5, seed: 8 }, 200)).not.to.deep.equal(first);
  });

  it('happen only so many times', async () => {
    const misbehaviours = unwatched();
    await misbehaviours.start(misbehaviour('silent', { times: 2 }));

    const modes = [1, 2, 3].map(() => misbehaviours.choose('book', null).mode);

    expect(modes).to.deep.equal(['silent', 'silent', null]);
    expect(misbehaviours.list()).to.be.empty;
  });

  it('happen only to the operations and references they are for', async () => {
    const misbehaviours = unwatched();
    await misbehaviours.start(misbehaviour('garbage', { operations: ['book'], references: ['BK-1'] }));

    expect(misbehaviours.choose('book', 'BK-1').mode).to.equal('garbage');
    expect(misbehaviours.choose('find', 'BK-1').mode).to.equal(null);
    expect(misbehaviours.choose('book', 'BK-2').mode).to.equal(null);
  });

  it('go together: slowness and faults with HTTP 200 beside another one', async () => {
    const misbehaviours = unwatched();
    await misbehaviours.start(misbehaviour('decline'));
    await misbehaviours.start(misbehaviour('slow', { delayMs: 7 }));
    await misbehaviours.start(misbehaviour('fault-200'));

    expect(misbehaviours.choose('book', null)).to.deep.include({
      mode: 'decline',
      delayMs: 7,
      faultsWith200: true,
      names: ['slow', 'fault-200', 'decline'],
    });
  });

  it('end by themselves after their time, and say so', async () => {
    const ended = new Promise<void>((done) => {
      const misbehaviours = new Misbehaviours(async () => {
        if (!misbehaviours.isDown) done();
      });
      void misbehaviours.start(misbehaviour('down', { forMs: 1 }));
      expect(misbehaviours.isDown).to.equal(true);
    });

    await ended;
  });

  it('all end by heal', async () => {
    const misbehaviours = unwatched();
    await misbehaviours.start(misbehaviour('down'));
    await misbehaviours.start(misbehaviour('wrong', { forMs: 60_000 }));

    await misbehaviours.heal();

    expect(misbehaviours.isDown).to.equal(false);
    expect(misbehaviours.choose('book', null).mode).to.equal(null);
  });

  const nonsense: readonly (readonly [unknown, RegExp])[] = [
    [null, /not a JSON object/],
    [{ mode: 'angry' }, /mode is not one of down/],
    [{ mode: 'toString' }, /mode is not one of down/],
    [{ mode: 'silent', rate: 2 }, /from 0 to 1/],
    [{ mode: 'silent', rate: '0.5' }, /rate is not a number/],
    [{ mode: 'down', rate: 0.5 }, /takes no rate/],
    [{ mode: 'slow', delayMs: -1 }, /delayMs is not a number from 0 up/],
    [{ mode: 'slow', references: 'BK-1' }, /references is not a list/],
  ];
  for (const [input, problem] of nonsense) {
    it(`are refused as ${JSON.stringify(input)}`, () => {
      expect(readMisbehaviour(input, 1)).to.match(problem);
    });
  }
});
