/**
 * Named moments in the path of a message at which a test may kill, freeze or fail the process.
 * Each is one call that does nothing unless the environment arms it:
 * `HISBRIDGE_FAILPOINTS=M3:kill@0.01,M9:throw` (an action, and how often, as a fraction).
 */
export const MOMENTS = {
  M1: 'received, not stored',
  M2: 'keeping, COMMIT not sent',
  M3: 'kept, source not acknowledged',
  M4: 'acknowledged, not picked up',
  M5: 'rendered, edition not on disk',
  M7: 'edition on disk, nothing sent',
  M9: 'sent, answer not seen',
  M10: 'answer seen, not recorded',
  M11: 'settled, what follows not started',
  M12: 'published to Dawy, confirm pending',
  M13: 'writing a dead letter',
  M14: 'during a replay',
  M16: 'between two plans',
} as const;

export type Moment = keyof typeof MOMENTS;
type Action = 'kill' | 'throw' | 'stop';

const armed = new Map<string, { action: Action; rate: number }>();
for (const entry of (process.env['HISBRIDGE_FAILPOINTS'] ?? '').split(',').filter(Boolean)) {
  const match = /^(M\d+):(kill|throw|stop)(?:@([\d.]+))?$/.exec(entry);
  if (!match?.[1] || !(match[1] in MOMENTS))
    throw new RangeError(`HISBRIDGE_FAILPOINTS: cannot read "${entry}"`);
  armed.set(match[1], { action: match[2] as Action, rate: Number(match[3] ?? 1) });
}

/** Passes the moment; does what the environment armed there, which is nothing outside tests. */
export function failpoint(moment: Moment): void {
  const arm = armed.get(moment);
  if (arm === undefined || Math.random() >= arm.rate) return;
  if (arm.action === 'throw') throw new RangeError(`failpoint ${moment}: ${MOMENTS[moment]}`);
  process.kill(process.pid, arm.action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
}
