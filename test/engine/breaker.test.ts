import { expect } from 'chai';
import {
  allows,
  CLOSED,
  closed,
  halfOpen,
  mayTry,
  NO_STREAK,
  opened,
  opens,
  streakAfter,
} from '../../engine/breaker.ts';
import type { Fault } from '../../engine/errors.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const msLater = (ms: number) => new Date(NOW.getTime() + ms);
const streak = (...faults: (Fault | null)[]) => faults.reduce(streakAfter, NO_STREAK);

describe('breaker', () => {
  it('opens after three times nobody there, or five unknown outcomes, in a row', () => {
    expect(opens(streak('unavailable', 'unavailable'))).to.equal(false);
    expect(opens(streak('unavailable', 'unavailable', 'unavailable'))).to.equal(true);
    expect(opens(streak('ambiguous', 'ambiguous', 'ambiguous', 'ambiguous', 'ambiguous'))).to.equal(true);
  });

  it('begins anew with any answer, also an unwelcome one', () => {
    expect(opens(streak('unavailable', 'unavailable', null, 'unavailable'))).to.equal(false);
    expect(opens(streak('unavailable', 'unavailable', 'permanent', 'unavailable'))).to.equal(false);
  });

  it('lets nothing through while open, and one trial when its pause is over', () => {
    const open = opened(CLOSED, 'connection-failed', NOW, 0);

    expect(allows(open, NOW)).to.equal(false);
    expect(mayTry(open, msLater(499))).to.equal(false);
    expect(mayTry(open, msLater(500))).to.equal(true);
  });

  it('pauses longer every time, up to half a minute', () => {
    const pauses = [0, 1, 2, 9].map((openings) => {
      const { probeAt } = opened({ ...CLOSED, openings }, 'connection-failed', NOW, 1);
      return (probeAt?.getTime() ?? 0) - NOW.getTime();
    });

    expect(pauses).to.deep.equal([1_000, 2_000, 4_000, 30_000]);
  });

  it('gives a trial up that was lost with its instance', () => {
    const trial = halfOpen(opened(CLOSED, 'connection-failed', NOW, 0), NOW, 10_000);

    expect(mayTry(trial, msLater(9_999))).to.equal(false);
    expect(mayTry(trial, msLater(10_000))).to.equal(true);
  });

  it('closes with a new generation and forgets its openings', () => {
    const again = closed(opened(CLOSED, 'connection-failed', NOW, 0));

    expect(again).to.include({ state: 'closed', generation: 2, openings: 0, probeAt: null });
  });

  it('stays shut while a person paused it, and no longer', () => {
    const paused = { ...CLOSED, paused: { by: 'operations', reason: 'maintenance', until: msLater(1_000) } };

    expect(allows(paused, NOW)).to.equal(false);
    expect(allows(paused, msLater(1_001))).to.equal(true);
  });
});
