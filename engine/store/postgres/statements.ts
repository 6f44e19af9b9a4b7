/**
 * Every hot statement, once. The rules that keep their plans right on empty and on full tables:
 * a table is joined to `unnest` by `d.id = any(array[t.id])`, never `d.id = t.id`; no predicate of
 * a partial index is named where that index must not be used; whether a lane has a head is asked by
 * a scalar subquery, which cannot become a scan of all heads. A test explains each of them.
 */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** Parameters with which it does nothing: run once when a connection opens, so that it is prepared. */
  readonly idle: readonly unknown[];
}

export interface Call {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** A statement with its parameters. */
export function call({ name, text }: Statement, ...values: unknown[]): Call {
  return { name, text, values };
}

const NOBODY = '00000000-0000-0000-0000-000000000000';
const arrays = (count: number): readonly string[] => Array.from({ length: count }, () => '{}');

const statement = (name: string, idle: readonly unknown[], text: string): Statement => ({ name, idle, text });

/** Takes the locks of a transaction in the order given. Returns no row. */
export const LOCK = statement(
  'lock',
  arrays(1),
  `select 1 from unnest($1::int8[]) h where pg_advisory_xact_lock(h) is null`,
);

export const READ_DEDUPE = statement(
  'read_dedupe',
  arrays(2),
  `select d.channel, d.key, d.message_id, d.digest, d.refused, d.refusal, d.expires_at <= now() as expired
     from unnest($1::text[], $2::bytea[]) t(channel, key)
     join hisbridge.dedupe d on d.channel = any(array[t.channel]) and d.key = any(array[t.key])`,
);

/** Not locked: whoever writes a booking holds its lane, and a write onto another version than was read fails. */
export const READ_BOOKINGS = statement(
  'read_bookings',
  arrays(1),
  `select reference, hospital, state, context, version, wake_at
     from hisbridge.booking where reference = any($1::text[])`,
);

export const READ_DELIVERIES = statement(
  'read_deliveries',
  arrays(1),
  `select id, owner, state, head, tries from hisbridge.delivery where id = any($1::uuid[]) order by id for update`,
);

export const WRITE_DEDUPE = statement(
  'write_dedupe',
  [...arrays(7), 0],
  `with t as (
     select * from unnest($1::text[], $2::bytea[], $3::uuid[], $4::uuid[], $5::bytea[], $6::text[], $7::bytea[])
       t(channel, key, message_id, was, digest, refused, refusal)),
   w as (
     insert into hisbridge.dedupe as d (channel, key, message_id, was, digest, refused, refusal, expires_at)
     select channel, key, message_id, was, digest, refused, refusal, now() + make_interval(days => $8::int4)
       from t
     on conflict (channel, key) do update
       set message_id = excluded.message_id, was = excluded.was, digest = excluded.digest,
           refused = excluded.refused, refusal = excluded.refusal, expires_at = excluded.expires_at
       where d.message_id = excluded.was
     returning 1)
   select hisbridge.must((select count(*) from w), cardinality($1::text[]), 'dedupe')`,
);

export const WRITE_BOOKINGS = statement(
  'write_bookings',
  arrays(7),
  `with t as (
     select * from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::int8[], $6::int8[], $7::timestamptz[])
       t(reference, hospital, state, context, version, base_version, wake_at)),
   w as (
     insert into hisbridge.booking as b (reference, hospital, state, context, version, base_version, wake_at)
     select reference, hospital, state, context, version, base_version, wake_at from t
     on conflict (reference) do update
       set hospital = excluded.hospital, state = excluded.state, context = excluded.context,
           version = excluded.version, base_version = excluded.base_version, wake_at = excluded.wake_at,
           changed_at = now()
       where b.version = excluded.base_version
     returning 1)
   select hisbridge.must((select count(*) from w), cardinality($1::text[]), 'booking')`,
);

export const WRITE_BOOKING_STEPS = statement(
  'write_booking_steps',
  arrays(10),
  `insert into hisbridge.booking_step
     (message_id, reference, version, hospital, before, after, kind, type, context, at)
   select * from unnest($1::uuid[], $2::text[], $3::int8[], $4::text[], $5::text[], $6::text[], $7::text[],
     $8::text[], $9::bytea[], $10::timestamptz[])`,
);

export const WRITE_BOOKING_REFS = statement(
  'write_booking_refs',
  arrays(4),
  `insert into hisbridge.booking_ref (system, kind, value, reference)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
   on conflict (system, kind, value) do nothing`,
);

export const WRITE_MESSAGES = statement(
  'write_messages',
  arrays(16),
  `insert into hisbridge.message
     (id, correlation, cause, channel, type, hospital, booking, form, headers, body, digest, state, refusal,
      promised, plan, received_at)
   select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
     $8::text[], $9::bytea[], $10::bytea[], $11::bytea[], $12::text[], $13::bytea[], $14::int4[], $15::text[],
     $16::timestamptz[])`,
);

export const WRITE_KEYS = statement(
  'write_keys',
  arrays(4),
  `insert into hisbridge.message_key (message_id, name, value, private)
   select * from unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[])`,
);

export const WRITE_REFUSALS = statement(
  'write_refusals',
  arrays(6),
  `insert into hisbridge.refusal (message_id, channel, type, hospital, booking, code)
   select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])`,
);

export const CLOSE_REFUSALS = statement(
  'close_refusals',
  arrays(1),
  `delete from hisbridge.refusal where message_id = any($1::uuid[])`,
);

export const WRITE_AUDIT = statement(
  'write_audit',
  arrays(5),
  `insert into hisbridge.audit (by, action, subject, hospital, reason)
   select * from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bytea[])`,
);

/**
 * New deliveries, in their order: the first of a free lane becomes its head, the others wait. The
 * position is drawn while the lane's lock is held. A hot one begins running and owned.
 */
export const WRITE_DELIVERIES = statement(
  'write_deliveries',
  [...arrays(10), null],
  `with n as (
     select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::uuid[],
       $8::text[], $9::timestamptz[], $10::boolean[]) with ordinality
       n(id, message_id, route, channel, hospital, lane, edition, booking_ref, give_up_at, hot, ord)),
   r as (
     select n.*, lane is not null and (
         row_number() over (partition by channel, lane order by ord) > 1
         or coalesce((select true from hisbridge.delivery d
              where d.channel = n.channel and d.lane = n.lane and d.head limit 1), false)) as behind
       from n)
   insert into hisbridge.delivery
     (id, message_id, route, channel, hospital, lane, edition, booking_ref, give_up_at, due_at, state, head, owner, tries)
   select id, message_id, route, channel, hospital, lane, edition, booking_ref, give_up_at, now(),
     case when behind then 'waiting' when hot and $11::uuid is not null then 'running' else 'queued' end,
     lane is not null and not behind,
     case when hot and not behind then $11::uuid end,
     case when hot and not behind and $11::uuid is not null then 1 else 0 end
   from r order by ord
   returning id, state, channel`,
);

/** Editions of deliveries that are still ours; returns these deliveries. The share lock keeps a take-over out meanwhile. */
export const WRITE_EDITIONS = statement(
  'write_editions',
  [NOBODY, ...arrays(8)],
  `with mine as materialized (
     select e.* from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[],
         $9::text[]) e(id, delivery_id, hospital, key, body, envelope, facts, plan)
       cross join lateral (
         select 1 from hisbridge.delivery d where d.id = any(array[e.delivery_id]) and d.owner = $1::uuid for share) d),
   w as (
     insert into hisbridge.edition (id, delivery_id, hospital, key, body, envelope, facts, plan)
     select id, delivery_id, hospital, key, body, envelope, facts, plan from mine on conflict (id) do nothing)
   select id from mine`,
);

export const END_DELIVERIES = statement(
  'end_deliveries',
  arrays(2),
  `with t as (select * from unnest($1::uuid[], $2::text[]) t(id, ended_as)),
   gone as (
     delete from hisbridge.delivery d using t where d.id = any(array[t.id]) returning d.*, t.ended_as),
   w as (
     insert into hisbridge.delivery_ended
       (id, message_id, route, channel, hospital, lane, seq, ended_as, edition, tries, attempts, booking_ref,
        kept_at, give_up_at, error, error_detail)
     select id, message_id, route, channel, hospital, lane, seq, ended_as, edition, tries, attempts, booking_ref,
        kept_at, give_up_at, error, error_detail from gone
     returning 1)
   select hisbridge.must((select count(*) from w), cardinality($1::uuid[]), 'delivery_ended')`,
);

/** Deliveries that stay open: queued again, held or dead. None is owned any more. */
export const CHANGE_DELIVERIES = statement(
  'change_deliveries',
  arrays(9),
  `with t as (
     select * from unnest($1::uuid[], $2::text[], $3::boolean[], $4::timestamptz[], $5::int4[], $6::boolean[],
       $7::text[], $8::bytea[], $9::timestamptz[])
       t(id, state, head, due_at, attempts, ambiguous, error, error_detail, last_sent_at)),
   w as (
     update hisbridge.delivery d
        set state = t.state, head = t.head, owner = null, due_at = coalesce(t.due_at, d.due_at),
            attempts = t.attempts, ambiguous = t.ambiguous, error = t.error, error_detail = t.error_detail,
            last_sent_at = coalesce(t.last_sent_at, d.last_sent_at),
            stopped_at = case when t.state in ('held', 'dead') then now() end
       from t where d.id = any(array[t.id]) returning 1)
   select hisbridge.must((select count(*) from w), cardinality($1::uuid[]), 'delivery')`,
);

export const WRITE_ATTEMPTS = statement(
  'write_attempts',
  arrays(13),
  `insert into hisbridge.attempt
     (id, delivery_id, edition, hospital, kind, no, started_at, ended_at, outcome, summary, response, plan, instance)
   select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::int4[], $7::timestamptz[],
     $8::timestamptz[], $9::text[], $10::text[], $11::bytea[], $12::text[], $13::uuid[])`,
);

/** A delivery `u` with its message, its booking as it stands, and its edition. */
export const WORK = `
  select u.id, u.message_id, u.route, u.channel, u.hospital, u.lane, u.edition, u.tries, u.attempts, u.ambiguous,
      u.booking_ref, u.kept_at, u.give_up_at, u.last_sent_at, u.state,
      m.correlation, m.cause, m.channel as message_channel, m.type, m.hospital as message_hospital, m.headers,
      m.form, m.body, m.received_at,
      b.hospital as booking_hospital, b.state as booking_state, b.context, b.version, b.wake_at,
      e.key as edition_key, e.body as edition_body, e.envelope
    from u
    join hisbridge.message m on m.id = any(array[u.message_id])
    left join hisbridge.booking b on b.reference = any(array[u.booking_ref])
    left join hisbridge.edition e on e.id = any(array[u.edition])
   order by u.seq`;

/** The next of every lane that was closed: running and ours when there is a slot for it, else queued. */
export const PROMOTE = statement(
  'promote',
  [null, ...arrays(3)],
  `with l as (select * from unnest($2::text[], $3::bytea[], $4::boolean[]) l(channel, lane, hot)),
   h as materialized (
     select w.id, l.hot and $1::uuid is not null as hot
       from l cross join lateral (
         select d.id from hisbridge.delivery d
          where d.channel = l.channel and d.lane = l.lane and d.state = 'waiting' order by d.seq limit 1) w),
   u as (
     update hisbridge.delivery d
        set state = case when h.hot then 'running' else 'queued' end, head = true, due_at = now(),
            owner = case when h.hot then $1::uuid end, tries = d.tries + case when h.hot then 1 else 0 end
       from h where d.id = any(array[h.id]) returning d.*)
   ${WORK}`,
);

export const CLAIM = statement(
  'claim',
  [NOBODY, '', '{}', 0],
  `with c as materialized (
     select id from hisbridge.delivery
      where state = 'queued' and channel = $2::text and due_at <= now() and route = any($3::text[])
      order by due_at limit $4::int4 for update skip locked),
   u as (
     update hisbridge.delivery d set state = 'running', owner = $1::uuid, tries = d.tries + 1
       from c where d.id = any(array[c.id]) returning d.*)
   ${WORK}`,
);

/** Due for long, on a route that no plan of the living has: they all run the plan of this instance. */
export const CLAIM_STRAYED = statement(
  'claim_strayed',
  [NOBODY, '{}', 0, 0],
  `with c as materialized (
     select d.id from hisbridge.delivery d
      where d.state = 'queued' and d.due_at <= now() - make_interval(secs => $3::float8 / 1000)
        and not (d.route = any($2::text[]))
        and not exists (
          select 1 from hisbridge.instance i, hisbridge.instance me
           where me.id = $1::uuid and i.plan is distinct from me.plan)
      order by d.due_at limit $4::int4 for update of d skip locked),
   u as (
     update hisbridge.delivery d set state = 'running', owner = $1::uuid, tries = d.tries + 1
       from c where d.id = any(array[c.id]) returning d.*)
   ${WORK}`,
);

/** After a COMMIT without a reply: which of these deliveries and lanes are running and ours. */
export const FIND_RUNNING = statement(
  'find_running',
  [NOBODY, '{}'],
  `select id, state, channel from hisbridge.delivery where id = any($2::uuid[]) and owner = $1::uuid`,
);

export const FIND_PROMOTED = statement(
  'find_promoted',
  [NOBODY, ...arrays(2)],
  `with u as (
     select d.* from unnest($2::text[], $3::bytea[]) l(channel, lane)
       cross join lateral (
         select d.* from hisbridge.delivery d
          where d.channel = l.channel and d.lane = l.lane and d.head and d.owner = $1::uuid limit 1) d)
   ${WORK}`,
);

export const FIND_MESSAGES = statement(
  'find_messages',
  arrays(1),
  `select id from hisbridge.message where id = any($1::uuid[]) limit 1`,
);

export const FIND_ATTEMPTS = statement(
  'find_attempts',
  arrays(1),
  `select id from hisbridge.attempt where id = any($1::uuid[]) limit 1`,
);

/** What each connection prepares when it opens. */
export const KEEPING = [
  LOCK,
  READ_DEDUPE,
  READ_BOOKINGS,
  WRITE_DEDUPE,
  WRITE_BOOKING_STEPS,
  WRITE_BOOKINGS,
  WRITE_BOOKING_REFS,
  WRITE_MESSAGES,
  WRITE_KEYS,
  WRITE_REFUSALS,
  CLOSE_REFUSALS,
  WRITE_AUDIT,
  WRITE_DELIVERIES,
] as const;
export const SETTLING = [
  LOCK,
  READ_BOOKINGS,
  READ_DELIVERIES,
  END_DELIVERIES,
  CHANGE_DELIVERIES,
  WRITE_ATTEMPTS,
  WRITE_BOOKING_STEPS,
  WRITE_BOOKINGS,
  WRITE_BOOKING_REFS,
  PROMOTE,
  WRITE_MESSAGES,
  WRITE_KEYS,
  WRITE_REFUSALS,
  WRITE_DELIVERIES,
  WRITE_AUDIT,
] as const;
export const FINDING = [FIND_MESSAGES, FIND_ATTEMPTS, FIND_RUNNING, FIND_PROMOTED] as const;
