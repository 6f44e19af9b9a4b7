import { expect } from 'chai';

import { slotAt } from '../../../sandbox/dawy/messages.ts';

describe("a slot of Dawy's", () => {
  it('starts after eight on a Riyadh clock, on a day counted there', () => {
    // Late in the evening in UTC, it is tomorrow in Riyadh already.
    const evening = new Date('2026-11-30T22:00:00Z');

    expect(slotAt(evening, 1, 3)).to.deep.equal({
      start: '2026-12-02T09:30:00+03:00',
      end: '2026-12-02T10:00:00+03:00',
    });
  });
});
