/**
 * Named moments in the path of a message at which a test may kill, freeze or fail the process. Each is one call that
 * does nothing unless the environment arms it: `HISBRIDGE_FAILPOINTS=M3:kill@0.01,M9:throw#7` (an action, and how often
 * as a fraction, or at which passage, once).
 * M0, half a frame of a delivery from the broker, is no line of ours: a test cuts it from outside.
 */
export const MOMENTS = {
  M1: 'received, not stored',
  M2: 'keeping, COMMIT not sent',
  M3: 'kept, source not acknowledged',
  M4: 'acknowledged, not picked up',
  M5: 'rendered, edition not on disk',
  M6: 'settling, COMMIT not sent',
  M7: 'edition on disk, nothing sent',
  M8: 'about to send, half the bytes may be there',
  M9: 'sent, answer not seen',
  M10: 'answer seen, not recorded',
  M11: 'settled, what follows not started',
  M12: 'published to Dawy, confirm pending',
  M13: 'writing a dead letter',
  M14: 'during a replay',
  M15: 'making the places of a day',
  M16: 'between two plans',
} as const;

export type Moment = keyof typeof MOMENTS;
type Action = 'kill' | 'throw' | 'stop';

interface Arm {
  readonly action: Action;
  readonly rate: number;
  /** The one passage at which it acts; every one, at the rate, when null. */
  readonly passage: number | null;
  passed: number;
}

const armed = new Map<string, Arm>();
for (const entry of (process.env['HISBRIDGE_FAILPOINTS'] ?? '').split(',').filter(Boolean)) {
  const match = /^(M\d+):(kill|throw|stop)(?:@([\d.]+)|#([1-9]\d*))?$/.exec(entry);
  if (!match?.[1] || !(match[1] in MOMENTS))
    throw new RangeError(`HISBRIDGE_FAILPOINTS: cannot read "${entry}"`);
  armed.set(match[1], {
    action: match[2] as Action,
    rate: Number(match[3] ?? 1),
    passage: match[4] === undefined ? null : Number(match[4]),
    passed: 0,
  });
}

/** Passes the moment; does what the environment armed there, which is nothing outside tests. */
export function failpoint(moment: Moment): void {
  const arm = armed.get(moment);
  if (arm === undefined) return;
  arm.passed += 1;
  if (arm.passage === null ? Math.random() >= arm.rate : arm.passed !== arm.passage) return;
  // Said first: a test must see that the moment was met, whatever becomes of the process.
  const { action } = arm;
  process.stdout.write(`${JSON.stringify({ event: 'failpoint', moment, action })}\n`);
  if (action === 'throw') throw new RangeError(`failpoint ${moment}: ${MOMENTS[moment]}`);
  process.kill(process.pid, action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
}
