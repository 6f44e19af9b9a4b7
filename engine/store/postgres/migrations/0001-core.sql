-- What is kept, and what is open. Columns that may hold patient data are bytea: they go through seal and open.

-- Ends a transaction whose statement did not touch what it must: someone was faster, or we are wrong.
-- 40001 makes the batch run once more on what is there now.
create function hisbridge.must(actual bigint, expected bigint, what text) returns void language plpgsql as $$
begin
  if actual is distinct from expected then
    raise exception '% of % rows of % were written', actual, expected, what using errcode = '40001';
  end if;
end $$;

create sequence hisbridge.delivery_seq as bigint cache 1;

-- Open deliveries only; small. Never partitioned: the guard of the head cannot span partitions.
create table hisbridge.delivery (
  id           uuid primary key,
  message_id   uuid not null,
  route        text not null,
  channel      text not null,
  hospital     text not null,
  lane         bytea,
  seq          bigint not null default nextval('hisbridge.delivery_seq'),
  state        text not null check (state in ('waiting', 'queued', 'running', 'held', 'dead')),
  head         boolean not null,
  edition      uuid not null,
  tries        integer not null default 0,
  attempts     integer not null default 0,
  ambiguous    boolean not null default false,
  booking_ref  text,
  due_at       timestamptz not null,
  owner        uuid,
  kept_at      timestamptz not null default now(),
  give_up_at   timestamptz not null,
  last_sent_at timestamptz,
  stopped_at   timestamptz,
  error        text,
  error_detail bytea,
  check ((state = 'running') = (owner is not null)),
  check (not head or lane is not null)
) with (fillfactor = 70);
create unique index delivery_head on hisbridge.delivery (channel, lane) where head;
create index delivery_waiting on hisbridge.delivery (channel, lane, seq) where state = 'waiting';
create index delivery_due on hisbridge.delivery (channel, due_at) where state = 'queued';
create index delivery_running on hisbridge.delivery (owner) where state = 'running';
create index delivery_stopped on hisbridge.delivery (stopped_at) where state in ('held', 'dead');
create index delivery_message on hisbridge.delivery (message_id);

create table hisbridge.booking (
  reference    text primary key,
  hospital     text not null,
  state        text not null,
  context      bytea not null,
  version      bigint not null,
  -- The version the last transaction found: what makes its write a compare-and-set.
  base_version bigint,
  wake_at      timestamptz,
  changed_at   timestamptz not null default now()
) with (fillfactor = 70);
create index booking_wake on hisbridge.booking (wake_at) where wake_at is not null;

-- What other systems call a booking.
create table hisbridge.booking_ref (
  system    text not null,
  kind      text not null,
  value     text not null,
  reference text not null,
  primary key (system, kind, value)
);
create index booking_ref_value on hisbridge.booking_ref (value text_pattern_ops);

create table hisbridge.dedupe (
  channel    text not null,
  key        bytea not null,
  message_id uuid not null,
  -- The message that held the key when the writing transaction read it.
  was        uuid,
  digest     bytea not null,
  refused    text,
  refusal    bytea,
  expires_at timestamptz not null,
  primary key (channel, key)
);
create index dedupe_expiry on hisbridge.dedupe (expires_at);

-- Refused messages that no one has closed: dead letters.
create table hisbridge.refusal (
  message_id uuid primary key,
  channel    text not null,
  type       text not null,
  hospital   text not null,
  booking    text,
  code       text not null,
  opened_at  timestamptz not null default now()
);
create index refusal_opened on hisbridge.refusal (opened_at);

create table hisbridge.instance (
  id        uuid primary key,
  -- The session advisory lock (INSTANCE_LOCKS, slot) is held as long as the instance has its connection.
  slot      integer not null unique,
  beat      timestamptz not null,
  plan      text,
  -- What it divides its slots by; null before its first beat.
  honours   integer,
  grace_ms  integer not null,
  joined_at timestamptz not null default now()
);
create sequence hisbridge.instance_slot as integer cycle;

create table hisbridge.channel_state (
  channel      text primary key,
  state        text not null default 'closed',
  generation   bigint not null default 0,
  openings     integer not null default 0,
  reason       text,
  probe_at     timestamptz,
  paused_by    text,
  paused_why   text,
  paused_until timestamptz,
  moved_at     timestamptz not null default now()
);

create table hisbridge.plan (
  hash    text primary key,
  files   bytea not null,
  seen_at timestamptz not null default now()
);

create table hisbridge.audit (
  id       bigint generated always as identity primary key,
  at       timestamptz not null default now(),
  by       text not null,
  action   text not null,
  subject  uuid not null,
  hospital text not null,
  reason   bytea not null
);
create index audit_subject on hisbridge.audit (subject);

-- One row, written to find out whether the store takes writes.
create table hisbridge.probe (one boolean primary key default true check (one), at timestamptz not null);

-- The record, by day. Insert-only; no default partition; partitioned over the row's own or its parent's UUIDv7.
create table hisbridge.message (
  id          uuid not null,
  correlation text not null,
  cause       uuid,
  channel     text not null,
  type        text not null,
  hospital    text not null,
  booking     text,
  form        text not null,
  headers     bytea not null,
  body        bytea not null,
  digest      bytea not null,
  state       text not null check (state in ('kept', 'refused')),
  refusal     bytea,
  promised    integer not null,
  plan        text,
  received_at timestamptz not null,
  kept_at     timestamptz not null default now(),
  primary key (id)
) partition by range (id);
create index message_booking on hisbridge.message (booking) where booking is not null;
create index message_cause on hisbridge.message (cause) where cause is not null;

create table hisbridge.message_key (
  message_id uuid not null,
  name       text not null,
  value      text not null,
  private    boolean not null,
  primary key (message_id, name, value)
) partition by range (message_id);
create index message_key_value on hisbridge.message_key (value text_pattern_ops);

create table hisbridge.delivery_ended (
  id           uuid not null,
  message_id   uuid not null,
  route        text not null,
  channel      text not null,
  hospital     text not null,
  lane         bytea,
  seq          bigint not null,
  ended_as     text not null check (ended_as in ('delivered', 'given-up', 'superseded')),
  edition      uuid not null,
  tries        integer not null,
  attempts     integer not null,
  booking_ref  text,
  kept_at      timestamptz not null,
  give_up_at   timestamptz not null,
  ended_at     timestamptz not null default now(),
  error        text,
  error_detail bytea,
  primary key (id)
) partition by range (id);
create index delivery_ended_message on hisbridge.delivery_ended (message_id);
create index delivery_ended_lane on hisbridge.delivery_ended (channel, lane, seq) where lane is not null;

create table hisbridge.edition (
  id          uuid not null,
  delivery_id uuid not null,
  hospital    text not null,
  key         text not null,
  body        bytea not null,
  envelope    bytea not null,
  facts       bytea not null,
  plan        text not null,
  written_at  timestamptz not null default now(),
  primary key (id)
) partition by range (id);
create index edition_delivery on hisbridge.edition (delivery_id);
create index edition_key on hisbridge.edition (key text_pattern_ops);

create table hisbridge.attempt (
  id          uuid not null,
  delivery_id uuid not null,
  edition     uuid not null,
  hospital    text not null,
  kind        text not null,
  no          integer not null,
  started_at  timestamptz not null,
  ended_at    timestamptz not null,
  outcome     text not null,
  summary     text not null,
  response    bytea,
  plan        text not null,
  instance    uuid,
  primary key (id)
) partition by range (id);
create index attempt_delivery on hisbridge.attempt (delivery_id);

create table hisbridge.booking_step (
  message_id uuid not null,
  reference  text not null,
  version    bigint not null,
  hospital   text not null,
  before     text,
  after      text not null,
  kind       text not null,
  type       text not null,
  context    bytea not null,
  at         timestamptz not null,
  primary key (message_id, reference, version)
) partition by range (message_id);
create index booking_step_reference on hisbridge.booking_step (reference, version);
