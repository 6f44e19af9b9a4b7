import { expect } from 'chai';
import fc from 'fast-check';
import { shareOf } from '../../engine/shares.ts';

describe('shares', () => {
  it('divide all of maxInFlight among the living, and no more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 16 }), (maxInFlight, by) => {
        const shares = Array.from({ length: by }, (_, rank) =>
          shareOf(maxInFlight, { by, rank, settled: true }, 0),
        );
        expect(shares.reduce((sum, share) => sum + share, 0)).to.equal(maxInFlight);
      }),
    );
  });

  it('only ever shrink while the others have not made room', () => {
    expect(shareOf(8, { by: 2, rank: 1, settled: false }, 0), 'a newcomer').to.equal(0);
    expect(shareOf(8, { by: 2, rank: 0, settled: false }, 8), 'the one that was alone').to.equal(4);
  });

  it('give the only connection of a hospital to one instance', () => {
    const shares = [0, 1, 2].map((rank) => shareOf(1, { by: 3, rank, settled: true }, 0));
    expect(shares).to.deep.equal([1, 0, 0]);
  });
});
