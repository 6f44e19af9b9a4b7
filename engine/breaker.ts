import type { ErrorCode, Fault } from './errors.ts';

/**
 * The breaker of an outbound channel, shared by all instances. `generation` rises with every move,
 * so that a late result of an older one cannot flip it.
 *
 *   closed ──3 unavailable or 5 ambiguous in a row──▶ open ──pause over──▶ half-open (one delivery)
 *     ▲                                               ▲                        │
 *     │                                               └──────fails─────────────┤
 *     └── ramp doubles with every success ◀──────────────answers───────────────┘
 */
export interface BreakerState {
  readonly state: 'closed' | 'open' | 'half-open';
  readonly generation: number;
  /** Failures in a row that led here; the exponent of the pause. */
  readonly openings: number;
  readonly reason: ErrorCode | null;
  /** When an open one may be tried; null when closed. */
  readonly probeAt: Date | null;
  /** A person's pause or maintenance, and until when; null `until` has no end. */
  readonly paused: { readonly by: string; readonly reason: string; readonly until: Date | null } | null;
}

export const CLOSED: BreakerState = {
  state: 'closed',
  generation: 0,
  openings: 0,
  reason: null,
  probeAt: null,
  paused: null,
};

const UNAVAILABLE_IN_A_ROW = 3;
const AMBIGUOUS_IN_A_ROW = 5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** What one instance has seen of a channel since the breaker last moved. */
export interface Streak {
  readonly unavailable: number;
  readonly ambiguous: number;
}

export const NO_STREAK: Streak = { unavailable: 0, ambiguous: 0 };

/** The streak after one more attempt. An answer of any kind, and a transient "not now", show that the channel is there. */
export function streakAfter(streak: Streak, fault: Fault | null): Streak {
  switch (fault) {
    case 'unavailable':
      return { ...streak, unavailable: streak.unavailable + 1 };
    case 'ambiguous':
      return { ...streak, ambiguous: streak.ambiguous + 1 };
    case 'transient':
    case 'permanent':
    case null:
      return NO_STREAK;
  }
}

/** Whether a streak is long enough to open the breaker. */
export function opens({ unavailable, ambiguous }: Streak): boolean {
  return unavailable >= UNAVAILABLE_IN_A_ROW || ambiguous >= AMBIGUOUS_IN_A_ROW;
}

/** The open breaker after one more failure. The pause doubles from one second to half a minute. */
export function opened(from: BreakerState, reason: ErrorCode, now: Date, fraction: number): BreakerState {
  const span = Math.min(FIRST_PAUSE_MS * 2 ** from.openings, LONGEST_PAUSE_MS);
  const probeAt = new Date(now.getTime() + span * (0.5 + fraction / 2));
  return {
    ...from,
    state: 'open',
    generation: from.generation + 1,
    openings: from.openings + 1,
    reason,
    probeAt,
  };
}

/** The breaker after a trial for which there was nothing to send: as far as before, and tried again after the same pause. */
export function untried(from: BreakerState, now: Date, fraction: number): BreakerState {
  const again = opened(
    { ...from, openings: Math.max(from.openings - 1, 0) },
    'connection-failed',
    now,
    fraction,
  );
  return { ...again, reason: from.reason };
}

/** The breaker with one delivery on its way to try the channel. `probeAt` is when the trial itself is given up. */
export function halfOpen(from: BreakerState, now: Date, deadlineMs: number): BreakerState {
  return {
    ...from,
    state: 'half-open',
    generation: from.generation + 1,
    probeAt: new Date(now.getTime() + deadlineMs),
  };
}

/** The closed breaker after the channel answered. */
export function closed(from: BreakerState): BreakerState {
  return {
    ...from,
    state: 'closed',
    generation: from.generation + 1,
    openings: 0,
    reason: null,
    probeAt: null,
  };
}

/** Whether deliveries may be claimed at all. */
export function allows({ state, paused }: BreakerState, now: Date): boolean {
  const isPaused = paused !== null && (paused.until === null || paused.until > now);
  return state === 'closed' && !isPaused;
}

/** Whether an open breaker, or one whose trial was lost with its instance, may be tried now. */
export function mayTry({ state, probeAt, paused }: BreakerState, now: Date): boolean {
  const isPaused = paused !== null && (paused.until === null || paused.until > now);
  return state !== 'closed' && !isPaused && probeAt !== null && probeAt <= now;
}
