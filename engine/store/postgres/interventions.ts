import type pg from 'pg';
import { BridgeError } from '../../errors.ts';
import { failpoint } from '../../failpoint.ts';
import { type Lane, lockOf } from '../../lane.ts';
import type { DeliveryId, EditionId, MessageId, SystemName } from '../../message.ts';
import type { Again, Decision } from '../../records.ts';
import type { Seal } from '../../seal.ts';
import { TOPIC } from './presence.ts';

interface StoppedRow {
  readonly state: string;
  readonly channel: string;
  readonly hospital: SystemName;
  readonly lane: Lane | null;
  readonly head: boolean;
  readonly seq: string;
}

export interface Requeue extends Again {
  readonly action: 'replay' | 'not-taken';
  /** A new edition, when it is to be sent as something new. */
  readonly edition: EditionId | null;
  readonly outOfOrder: boolean;
  /** Also a held one, which may have been taken, as something new. */
  readonly asNew: boolean;
}

/** Puts a held or dead delivery back into the queue, under the lock of its lane. */
export async function requeue(pool: pg.Pool, seal: Seal, id: DeliveryId, how: Requeue): Promise<void> {
  const channel = await inTransaction(pool, async (client) => {
    const row = await lockStopped(client, id);
    if (row.state === 'held' && how.action === 'replay' && !how.asNew)
      throw new BridgeError(
        'not-allowed',
        `delivery ${id} is held: it may have been taken, and as something new it could be booked twice. Ask the hospital (\`hisbridge probe\`), or send the same bytes again when you know that it was not taken (\`hisbridge settle --as not-taken\`); \`--as-new\` sends it all the same`,
      );
    const gone = row.lane === null || how.outOfOrder ? [] : await newerGone(client, row);
    if (gone.length > 0) {
      throw new BridgeError(
        'not-allowed',
        `newer deliveries of its lane have gone: ${gone.join(', ')}; \`--out-of-order\` sends it all the same`,
        { details: { gone: gone.length } },
      );
    }
    const place =
      row.lane === null || row.head ? { state: 'queued', head: row.head } : await placeInLane(client, row);
    await client.query(
      `update hisbridge.delivery
          set state = $2, head = $3, edition = coalesce($4::uuid, edition), attempts = 0, ambiguous = false,
              tries = case when $4::uuid is null then tries else 0 end, due_at = now(), stopped_at = null,
              error = null, error_detail = null, last_sent_at = null, give_up_at = $5
        where id = $1`,
      [id, place.state, place.head, how.edition, how.giveUpAt],
    );
    await audit(client, seal, {
      by: how.by,
      reason: how.reason,
      action: how.action,
      subject: id,
      hospital: row.hospital,
    });
    failpoint('M14');
    return row.channel;
  });
  await pool.query('select pg_notify($1, $2)', [TOPIC, channel]);
}

async function lockStopped(client: pg.ClientBase, id: DeliveryId): Promise<StoppedRow> {
  const read = 'select state, channel, hospital, lane, head, seq from hisbridge.delivery where id = $1';
  const [before] = (await client.query<StoppedRow>(read, [id])).rows;
  if (before?.lane) await client.query('select pg_advisory_xact_lock($1)', [lockOf(before.lane)]);
  const [row] = (await client.query<StoppedRow>(`${read} for update`, [id])).rows;
  if (row === undefined) throw new BridgeError('not-found', `no open delivery ${id}`);
  if (row.state !== 'held' && row.state !== 'dead')
    throw new BridgeError(
      'not-allowed',
      `delivery ${id} is ${row.state}; only a held or dead one waits for a person`,
    );
  return row;
}

/** Deliveries behind it in its lane that were sent, or may have been. */
async function newerGone(
  client: pg.ClientBase,
  { channel, lane, seq }: StoppedRow,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select id from hisbridge.delivery_ended
      where channel = $1 and lane = $2 and seq > $3 and ended_as = 'delivered'
     union all
     select id from hisbridge.delivery where channel = $1 and lane = $2 and seq > $3 and tries > 0`,
    [channel, lane, seq],
  );
  return rows.map(({ id }) => id);
}

/** One that was passed by waits for the head there is now, and is the next after it. */
async function placeInLane(client: pg.ClientBase, { channel, lane }: StoppedRow) {
  const { rows } = await client.query(
    'select 1 from hisbridge.delivery where channel = $1 and lane = $2 and head',
    [channel, lane],
  );
  return rows.length > 0 ? { state: 'waiting', head: false } : { state: 'queued', head: true };
}

/** Closes a refused message. Throws `not-found` when it is none, or is closed. */
export function closeRefusal(pool: pg.Pool, seal: Seal, id: MessageId, decision: Decision): Promise<void> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ hospital: SystemName }>(
      'delete from hisbridge.refusal where message_id = $1 returning hospital',
      [id],
    );
    const [row] = rows;
    if (row === undefined) throw new BridgeError('not-found', `no open refusal of message ${id}`);
    await audit(client, seal, { ...decision, action: 'given-up', subject: id, hospital: row.hospital });
  });
}

interface AuditEntry extends Decision {
  readonly action: string;
  readonly subject: string;
  readonly hospital: SystemName;
}

async function audit(
  client: pg.ClientBase,
  seal: Seal,
  { by, action, subject, hospital, reason }: AuditEntry,
) {
  await client.query(
    'insert into hisbridge.audit (by, action, subject, hospital, reason) values ($1, $2, $3, $4, $5)',
    [by, action, subject, hospital, seal.seal(subject, Buffer.from(reason))],
  );
}

async function inTransaction<T>(pool: pg.Pool, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    client.release();
    return result;
  } catch (thrown) {
    // Closed, not returned: whatever state it is in, the server rolls back.
    client.release(true);
    throw thrown;
  }
}
