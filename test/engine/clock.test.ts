import { expect } from 'chai';
import { SystemClock } from '../../engine/clock.ts';

describe('system clock', () => {
  it("keeps to the database's time when somebody sets the clock of the machine", () => {
    const clock = new SystemClock();
    clock.follow(new Date('2026-12-02T08:00:00Z'));
    const machine = Date.now;
    try {
      Date.now = () => machine() + 3_600_000;
      expect(clock.now().toISOString()).to.match(/^2026-12-02T08:00/);
    } finally {
      Date.now = machine;
    }
  });

  it('begins with the time of the machine', () => {
    const before = Date.now();
    const now = new SystemClock().now().getTime();
    expect(now).to.be.within(before - 1, Date.now() + 1);
  });
});
