/** A statement of the floor, prepared under its name. What is the same in every row stands in it. */
export interface Sql {
  readonly name: string;
  readonly text: string;
}

const sql = (name: string, text: string): Sql => ({ name, text });

const DELIVERY = `insert into hisbridge.delivery
  (id, message_id, route, channel, hospital, lane, state, head, edition, tries, booking_ref, due_at, owner, give_up_at)`;

const EDITION = `insert into hisbridge.edition (id, delivery_id, hospital, key, body, envelope, facts, plan)`;

const MESSAGE = `insert into hisbridge.message
  (id, correlation, cause, channel, type, hospital, booking, form, headers, body, digest, state, promised, plan, received_at)`;

const STEP = `insert into hisbridge.booking_step
  (message_id, reference, version, hospital, before, after, kind, type, context, at)`;

/** Of an arrival. */
export const KEEP = {
  dedupe: sql(
    'dedupe',
    `insert into hisbridge.dedupe (channel, key, message_id, digest, expires_at)
     select 'dawy-in', key, message, digest, now() + interval '30 days'
       from unnest($1::bytea[], $2::uuid[], $3::bytea[]) t(key, message, digest)`,
  ),
  step: sql(
    'step',
    `${STEP}
     select message, reference, 1, 'riverside', null, 'requested', 'request', 'booking.requested', context, at
       from unnest($1::uuid[], $2::text[], $3::bytea[], $4::timestamptz[]) t(message, reference, context, at)`,
  ),
  booking: sql(
    'booking',
    `insert into hisbridge.booking (reference, hospital, state, context, version)
     select reference, 'riverside', 'requested', context, 1 from unnest($1::text[], $2::bytea[]) t(reference, context)`,
  ),
  message: sql(
    'message',
    `${MESSAGE}
     select id, reference, null, 'dawy-in', 'booking.requested', 'riverside', reference, 'bytes', headers, body, digest,
         'kept', 1, $6, at
       from unnest($1::uuid[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[], $7::timestamptz[])
         t(id, reference, headers, body, digest, at)`,
  ),
  keys: sql(
    'keys',
    `insert into hisbridge.message_key (message_id, name, value, private)
     select message, k.name, k.value, k.private
       from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) t(message, reference, id, doctor, patient),
         lateral (values ('booking', reference, false), ('id', id, false), ('doctor', doctor, false),
           ('patient', patient, true)) k(name, value, private)`,
  ),
  delivery: sql(
    'delivery',
    `${DELIVERY}
     select id, message, 'to-riverside', 'riverside-out', 'riverside', lane, 'running', true, edition, 1, reference, now(),
         $7::uuid, at + interval '1 day'
       from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::uuid[], $5::text[], $6::timestamptz[])
         t(id, message, lane, edition, reference, at)`,
  ),
  edition: sql(
    'edition',
    `${EDITION}
     select id, delivery, 'riverside', key, body, '\\x007b226d6574686f64223a22504f5354222c2270617468223a222f6170706f696e746d656e7473227d',
         facts, $6
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::bytea[]) t(id, delivery, key, body, facts)`,
  ),
} as const;

/** Of an answer, and of the event that follows from it. */
export const ENDED = {
  step: sql(
    'step_2',
    `${STEP}
     select message, reference, 2, 'riverside', 'requested', 'confirmed', 'report', 'booking.confirmed', context, at
       from unnest($1::uuid[], $2::text[], $3::bytea[], $4::timestamptz[]) t(message, reference, context, at)`,
  ),
  booking: sql(
    'booking_2',
    `update hisbridge.booking b
        set state = 'confirmed', context = t.context, version = 2, base_version = 1, changed_at = now()
       from unnest($1::text[], $2::bytea[]) t(reference, context) where b.reference = any(array[t.reference])`,
  ),
  reference: sql(
    'reference',
    `insert into hisbridge.booking_ref (system, kind, value, reference)
     select 'riverside', 'hospitalRef', value, reference from unnest($1::text[], $2::text[]) t(value, reference)`,
  ),
  answer: sql(
    'answer',
    `${MESSAGE}
     select id, reference, cause, 'riverside-out', 'booking.confirmed', 'riverside', reference, 'bytes', '\\x007b7d', body,
         digest, 'kept', 0, $6, at
       from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[], $5::bytea[], $7::timestamptz[])
         t(id, reference, cause, body, digest, at)`,
  ),
  event: sql(
    'event',
    `${MESSAGE}
     select id, reference, cause, 'bookings', 'booking.confirmed', 'riverside', reference, 'json', '\\x007b7d', body,
         digest, 'kept', 1, $6, at
       from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[], $5::bytea[], $7::timestamptz[])
         t(id, reference, cause, body, digest, at)`,
  ),
  keys: sql(
    'keys_2',
    `insert into hisbridge.message_key (message_id, name, value, private)
     select k.message, k.name, k.value, false
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) t(answer, event, reference, key),
         lateral (values (answer, 'booking', reference), (answer, 'key', key), (event, 'booking', reference))
           k(message, name, value)`,
  ),
  delivery: sql(
    'delivery_2',
    `${DELIVERY}
     select id, message, 'tell-dawy', 'dawy-out', 'riverside', lane, 'running', true, edition, 1, reference, now(),
         $7::uuid, at + interval '1 day'
       from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::uuid[], $5::text[], $6::timestamptz[])
         t(id, message, lane, edition, reference, at)`,
  ),
  edition: sql(
    'edition_2',
    `${EDITION}
     select id, delivery, 'riverside', key, body, '\\x007b7d', facts, $6
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::bytea[]) t(id, delivery, key, body, facts)`,
  ),
} as const;

export const END_DELIVERIES = sql(
  'end_deliveries',
  `with gone as (delete from hisbridge.delivery where id = any($1::uuid[]) and owner = $2::uuid returning *)
   insert into hisbridge.delivery_ended
     (id, message_id, route, channel, hospital, lane, seq, ended_as, edition, tries, attempts, booking_ref, kept_at,
      give_up_at, error, error_detail)
   select id, message_id, route, channel, hospital, lane, seq, 'delivered', edition, tries, attempts, booking_ref, kept_at,
      give_up_at, error, error_detail from gone`,
);

export const WRITE_ATTEMPTS = sql(
  'attempts',
  `insert into hisbridge.attempt
     (id, delivery_id, edition, hospital, kind, no, started_at, ended_at, outcome, summary, response, plan, instance)
   select id, delivery, edition, 'riverside', 'send', 1, started, ended, 'taken', summary, response, $8, $9::uuid
     from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::bytea[])
       t(id, delivery, edition, started, ended, summary, response)`,
);
