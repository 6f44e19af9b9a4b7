import type { BreakerState } from '../../breaker.ts';
import type { ErrorCode } from '../../errors.ts';
import type { ChannelName } from '../../message.ts';
import { mismatch } from './batch.ts';
import type { Session } from './connection.ts';

/** The columns of `channel_state`. */
export interface BreakerRow {
  readonly channel: ChannelName;
  readonly state: BreakerState['state'];
  readonly generation: string;
  readonly openings: number;
  readonly reason: ErrorCode | null;
  readonly probe_at: Date | null;
  readonly paused_by: string | null;
  readonly paused_why: string | null;
  readonly paused_until: Date | null;
}

export function breakerOf(row: BreakerRow): BreakerState {
  return {
    state: row.state,
    generation: Number(row.generation),
    openings: row.openings,
    reason: row.reason,
    probeAt: row.probe_at,
    paused:
      row.paused_by === null
        ? null
        : { by: row.paused_by, reason: row.paused_why ?? '', until: row.paused_until },
  };
}

/** Moves a breaker that is still at generation `from`; says whether it did, and what the table has afterwards. */
export async function moveBreaker(
  session: Session,
  channel: ChannelName,
  from: number,
  { state, generation, openings, reason, probeAt, paused }: BreakerState,
): Promise<{ readonly moved: boolean; readonly state: BreakerState }> {
  await session.one('insert into hisbridge.channel_state (channel) values ($1) on conflict do nothing', [
    channel,
  ]);
  const moved = await session.one(
    `update hisbridge.channel_state
        set state = $3, generation = $4, openings = $5, reason = $6, probe_at = $7, paused_by = $8,
            paused_why = $9, paused_until = $10, moved_at = now()
      where channel = $1 and generation = $2 returning 1`,
    [
      channel,
      from,
      state,
      generation,
      openings,
      reason,
      probeAt,
      paused?.by ?? null,
      paused?.reason ?? null,
      paused?.until ?? null,
    ],
  );
  const [row] = await session.one('select * from hisbridge.channel_state where channel = $1', [channel]);
  if (row === undefined) throw mismatch(`the state of ${channel} is gone`);
  return { moved: moved.length > 0, state: breakerOf(row as unknown as BreakerRow) };
}
