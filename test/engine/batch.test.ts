import { expect } from 'chai';
import { Batcher } from '../../engine/batch.ts';
import { SystemClock } from '../../engine/clock.ts';

const clock = new SystemClock();

describe('batcher', () => {
  it('flushes a lone item at once, and what came meanwhile as the next batch, in order', async () => {
    const batches: number[][] = [];
    const release: (() => void)[] = [];
    const batcher = new Batcher<number, number>((items) => {
      batches.push([...items]);
      return new Promise((resolve) => release.push(() => resolve(items.map((item) => item * 10))));
    }, clock);

    const first = batcher.add(1);
    await turn();
    const rest = [batcher.add(2), batcher.add(3)];
    release.shift()?.();
    expect(await first).to.equal(10);
    await turn();
    release.shift()?.();

    expect(await Promise.all(rest)).to.deep.equal([20, 30]);
    expect(batches).to.deep.equal([[1], [2, 3]]);
  });

  it('never puts more than its limit into one batch', async () => {
    const sizes: number[] = [];
    const batcher = new Batcher<number, number>(
      async (items) => {
        sizes.push(items.length);
        return items;
      },
      clock,
      2,
    );

    await Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)));

    expect(sizes).to.deep.equal([2, 2, 1]);
  });

  it('makes smaller batches of heavy items, and takes one that is too heavy alone', async () => {
    const batches: number[][] = [];
    const weight = { of: (item: number) => item, most: 10 };
    const batcher = new Batcher<number, number>(
      async (items) => {
        batches.push([...items]);
        return items;
      },
      clock,
      200,
      weight,
    );

    await Promise.all([4, 4, 4, 25, 1].map((item) => batcher.add(item)));

    expect(batches).to.deep.equal([[4, 4], [4], [25], [1]]);
  });

  it('fails what waits behind a failed batch, so that nothing overtakes it, and goes on after', async () => {
    let calls = 0;
    let fail: () => void = () => undefined;
    const batcher = new Batcher<number, number>(async (items) => {
      calls += 1;
      if (calls > 1) return items;
      await new Promise<void>((resolve) => {
        fail = resolve;
      });
      throw new RangeError('no');
    }, clock);
    const outcome = (adding: Promise<number>) => adding.then(String, () => 'failed');

    const first = outcome(batcher.add(1));
    await turn();
    const behind = outcome(batcher.add(2));
    fail();

    expect(await Promise.all([first, behind])).to.deep.equal(['failed', 'failed']);
    expect(await batcher.add(3)).to.equal(3);
    await batcher.idle();
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
