import type pg from 'pg';
import type { EditionId, MessageId } from '../../message.ts';
import type {
  AttemptRecord,
  AuditRecord,
  DeliveryTrail,
  EditionRecord,
  MessageTrail,
  StepRecord,
  Trail,
} from '../../records.ts';
import type { Seal } from '../../seal.ts';
import {
  type BookingRow,
  bookingOf,
  deliveryOf,
  type MessageRow,
  messageOf,
  openError,
  openJson,
  type WorkRow,
} from './rows.ts';

/** Up to the message everything began with, and down to all that followed. */
const FAMILY = `
  with recursive up as (
    select id, cause from hisbridge.message where id = $1::uuid
    union select m.id, m.cause from up join hisbridge.message m on m.id = up.cause),
  down as (
    select id from up
    union select m.id from down join hisbridge.message m on m.cause = down.id)
  select id from down`;

interface TrailMessageRow extends MessageRow {
  readonly booking: string | null;
  readonly kept_at: Date;
  readonly plan: string | null;
  readonly promised: number;
  readonly refusal: Buffer | null;
  readonly state: string;
}

interface TrailDeliveryRow extends Pick<WorkRow, keyof Parameters<typeof deliveryOf>[0]> {
  readonly state: DeliveryTrail['state'];
  readonly at: Date;
  readonly error: string | null;
  readonly error_detail: Buffer | null;
}

/** The trail of a message with all that followed from it, or of a whole booking. */
export async function readTrail(
  pool: pg.Pool,
  seal: Seal,
  of: { readonly message: MessageId } | { readonly booking: string },
): Promise<Trail | null> {
  const found =
    'message' in of
      ? await pool.query<{ id: string }>(FAMILY, [of.message])
      : await pool.query<{ id: string }>('select id from hisbridge.message where booking = $1', [of.booking]);
  const ids = found.rows.map(({ id }) => id);
  if (ids.length === 0) return null;
  const messages = await readMessages(pool, seal, ids);
  const reference =
    'booking' in of ? of.booking : (messages.find(({ booking }) => booking !== null)?.booking ?? null);
  const [row] = (
    await pool.query<BookingRow>('select * from hisbridge.booking where reference = $1', [reference])
  ).rows;
  return {
    booking: row === undefined ? null : bookingOf(seal, row),
    steps: await readSteps(pool, reference),
    messages,
  };
}

async function readSteps(pool: pg.Pool, reference: string | null): Promise<readonly StepRecord[]> {
  const { rows } = await pool.query<StepRecord>(
    `select message_id as message, version::int4 as version, before, after, kind, type, at
       from hisbridge.booking_step where reference = $1 order by version`,
    [reference],
  );
  return rows;
}

async function readMessages(
  pool: pg.Pool,
  seal: Seal,
  ids: readonly string[],
): Promise<readonly MessageTrail[]> {
  const { rows } = await pool.query<TrailMessageRow & { readonly open: boolean }>(
    `select m.*, r.message_id is not null as open
       from hisbridge.message m
       left join hisbridge.refusal r on r.message_id = m.id
      where m.id = any($1::uuid[]) order by m.kept_at, m.id`,
    [ids],
  );
  const deliveries = await readDeliveries(pool, seal, ids);
  const audit = await readAudit(pool, seal, ids);
  return rows.map((row) => ({
    message: messageOf(seal, row),
    booking: row.booking,
    keptAt: row.kept_at,
    plan: row.plan,
    promised: row.promised,
    refused:
      row.state === 'refused' ? { error: openError(seal, row.id, '-', row.refusal), open: row.open } : null,
    deliveries: deliveries.get(row.id) ?? [],
    audit: audit.get(row.id) ?? [],
  }));
}

async function readDeliveries(
  pool: pg.Pool,
  seal: Seal,
  messages: readonly string[],
): Promise<ReadonlyMap<string, readonly DeliveryTrail[]>> {
  const { rows } = await pool.query<TrailDeliveryRow>(
    `select id, message_id, route, channel, hospital, lane, seq, edition, tries, attempts, ambiguous, kept_at,
        give_up_at, state, coalesce(stopped_at, due_at) as at, error, error_detail
       from hisbridge.delivery where message_id = any($1::uuid[])
     union all
     select id, message_id, route, channel, hospital, lane, seq, edition, tries, attempts, false, kept_at,
        give_up_at, ended_as, ended_at, error, error_detail
       from hisbridge.delivery_ended where message_id = any($1::uuid[])
     order by seq`,
    [messages],
  );
  const ids = rows.map(({ id }) => id);
  const editions = await readEditions(pool, seal, ids);
  const attempts = await readAttempts(pool, seal, ids);
  const audit = await readAudit(pool, seal, ids);
  return grouped(
    rows,
    (row) => row.message_id,
    (row) => ({
      delivery: deliveryOf(row),
      state: row.state,
      at: row.at,
      error: row.error === null ? null : openError(seal, row.id, row.error, row.error_detail),
      editions: editions.get(row.id) ?? [],
      attempts: attempts.get(row.id) ?? [],
      audit: audit.get(row.id) ?? [],
    }),
  );
}

interface EditionRow {
  readonly id: EditionId;
  readonly delivery_id: string;
  readonly key: string;
  readonly body: Buffer;
  readonly envelope: Buffer;
  readonly facts: Buffer;
  readonly plan: string;
  readonly written_at: Date;
}

async function readEditions(pool: pg.Pool, seal: Seal, deliveries: readonly string[]) {
  const { rows } = await pool.query<EditionRow>(
    'select * from hisbridge.edition where delivery_id = any($1::uuid[]) order by written_at',
    [deliveries],
  );
  return grouped(
    rows,
    (row) => row.delivery_id,
    (row): EditionRecord => ({
      id: row.id,
      key: row.key,
      body: seal.open(row.id, row.body),
      envelope: openJson(seal, row.id, row.envelope),
      facts: seal.open(row.id, row.facts).toString('utf8'),
      plan: row.plan,
      writtenAt: row.written_at,
    }),
  );
}

interface AttemptRow extends Omit<AttemptRecord, 'startedAt' | 'endedAt' | 'response'> {
  readonly delivery_id: string;
  readonly started_at: Date;
  readonly ended_at: Date;
  readonly response: Buffer | null;
}

async function readAttempts(pool: pg.Pool, seal: Seal, deliveries: readonly string[]) {
  const { rows } = await pool.query<AttemptRow>(
    'select * from hisbridge.attempt where delivery_id = any($1::uuid[]) order by started_at, id',
    [deliveries],
  );
  return grouped(
    rows,
    (row) => row.delivery_id,
    (row): AttemptRecord => ({
      id: row.id,
      edition: row.edition,
      kind: row.kind,
      no: row.no,
      startedAt: row.started_at,
      endedAt: row.ended_at,
      outcome: row.outcome,
      summary: row.summary,
      response: row.response === null ? null : seal.open(row.id, row.response),
      plan: row.plan,
      instance: row.instance,
    }),
  );
}

interface AuditRow {
  readonly at: Date;
  readonly by: string;
  readonly action: string;
  readonly subject: string;
  readonly reason: Buffer;
}

async function readAudit(pool: pg.Pool, seal: Seal, subjects: readonly string[]) {
  const { rows } = await pool.query<AuditRow>(
    'select at, by, action, subject, reason from hisbridge.audit where subject = any($1::uuid[]) order by id',
    [subjects],
  );
  return grouped(
    rows,
    (row) => row.subject,
    ({ at, by, action, subject, reason }): AuditRecord => ({
      at,
      by,
      action,
      reason: seal.open(subject, reason).toString('utf8'),
    }),
  );
}

function grouped<Row, Value>(
  rows: readonly Row[],
  key: (row: Row) => string,
  value: (row: Row) => Value,
): ReadonlyMap<string, readonly Value[]> {
  const groups = new Map<string, Value[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group === undefined) groups.set(key(row), [value(row)]);
    else group.push(value(row));
  }
  return groups;
}
