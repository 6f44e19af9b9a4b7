import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type pg from 'pg';
import type { Told } from '../../bench/dawy.ts';
import type { Requested } from '../../bench/hospital.ts';
import { Place } from '../../bench/place.ts';
import { carry, openStage } from '../../bench/round.ts';
import type { SubjectName } from '../../bench/subject.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { testBroker } from '../support/rabbitmq.ts';

const CONVERSATIONS = 300;
/** How far the bytes that the floor writes ahead may be from those of the engine. */
const WAL_APART = 0.1;
const ROWS_APART = 0.01;

/** What conversations leave. Not the tables that tell of instances and plans: the floor has none. */
const TABLES = [
  'message',
  'message_key',
  'dedupe',
  'booking',
  'booking_step',
  'booking_ref',
  'delivery',
  'delivery_ended',
  'edition',
  'attempt',
  'refusal',
  'audit',
] as const;

interface Left {
  readonly rows: Readonly<Record<string, number>>;
  readonly bytes: Readonly<Record<string, number>>;
  readonly wal: number;
  readonly requests: readonly unknown[];
  readonly events: readonly unknown[];
}

describe('the floor of the bench', function () {
  // Two processes that start, and 600 conversations: seconds alone, more beside other suites.
  this.timeout(180_000);
  let server: TestDatabase;
  let folder: string;
  let closing: (() => Promise<void>)[] = [];
  const left = {} as Record<SubjectName, Left>;

  before(async () => {
    // The prefix and the number are those by which the next run of the tests ends what a killed one has left.
    folder = mkdtempSync(join(tmpdir(), `hisbridge-test-${process.pid}-bench-`));
    closing.push(async () => rmSync(folder, { recursive: true, force: true }));
    server = await testDatabase();
    closing.push(() => server.drop());
    const broker = await testBroker();
    closing.push(() => broker.stop());
    const place = await Place.at(folder, server.url, broker.url);
    closing.push(() => place.close());
    [left.engine, left.floor] = await Promise.all([leftBy(place, 'engine'), leftBy(place, 'floor')]);
  });
  after(async () => {
    for (const close of closing.reverse()) await close();
    closing = [];
  });

  it('leaves the rows that the engine leaves, in every table', () => {
    expect(left.floor.rows).to.deep.equal(left.engine.rows);
    expect(left.floor.rows).to.include({
      message: 3 * CONVERSATIONS,
      delivery: 0,
      attempt: 2 * CONVERSATIONS,
    });
  });

  it('fills them with as many bytes', () => {
    for (const table of TABLES)
      expect(left.floor.bytes[table], table).to.be.closeTo(
        ...around(left.engine.bytes[table] ?? 0, ROWS_APART),
      );
  });

  it('writes as many bytes ahead', () => {
    expect(left.engine.wal).to.be.greaterThan(1_000 * CONVERSATIONS);
    expect(left.floor.wal).to.be.closeTo(...around(left.engine.wal, WAL_APART));
  });

  it('asks the hospital for the same', () => {
    expect(left.floor.requests).to.have.length(CONVERSATIONS);
    expect(left.floor.requests).to.deep.equal(left.engine.requests);
  });

  it('tells Dawy the same', () => {
    expect(left.floor.events).to.have.length(CONVERSATIONS);
    expect(left.floor.events).to.deep.equal(left.engine.events);
  });
});

function around(value: number, apart: number): [number, number] {
  return [value, value * apart];
}

/** What a subject leaves of the same conversations; that none is lost or doubled is part of carrying them. */
async function leftBy(place: Place, subject: SubjectName): Promise<Left> {
  const stage = await openStage(place, { subject, label: subject });
  try {
    const { database } = stage.ground;
    await Promise.all([stage.hospital.ask('watch'), stage.dawy.ask('watch')]);
    await database.query('create extension pg_walinspect');
    const from = await walPosition(database);
    await carry(stage, { prefix: 'BK-', count: CONVERSATIONS, perSecond: null });
    return {
      wal: await walBytes(database, from),
      ...(await kept(database)),
      requests: (await stage.hospital.ask<readonly Requested[]>('journal')).map(comparable).sort(byReference),
      events: (await stage.dawy.ask<readonly Told[]>('journal')).map(comparableEvent).sort(byReference),
    };
  } finally {
    await stage.close();
  }
}

async function kept(database: pg.Client): Promise<Pick<Left, 'rows' | 'bytes'>> {
  const rows: Record<string, number> = {};
  const bytes: Record<string, number> = {};
  for (const table of TABLES) {
    const { rows: found } = await database.query<{ rows: number; bytes: number }>(
      `select count(*)::int as rows, coalesce(sum(pg_column_size(t.*)), 0)::int as bytes from hisbridge.${table} t`,
    );
    rows[table] = found[0]?.rows ?? -1;
    bytes[table] = found[0]?.bytes ?? -1;
  }
  return { rows, bytes };
}

async function walPosition(database: pg.Client): Promise<string> {
  const { rows } = await database.query<{ at: string }>('select pg_current_wal_insert_lsn() as at');
  return rows[0]?.at ?? '';
}

/** Of this database alone, for others write too. Full pages are left out, which tell of checkpoints. */
async function walBytes(database: pg.Client, from: string): Promise<number> {
  const { rows } = await database.query<{ bytes: string }>(
    `select sum(length - pages) as bytes from (
       select min(record_length) as length, sum(block_fpi_length) as pages
         from pg_get_wal_block_info($1::pg_lsn, pg_current_wal_flush_lsn(), false)
        where reldatabase = (select oid from pg_database where datname = current_database())
        group by start_lsn) records`,
    [from],
  );
  return Number(rows[0]?.bytes);
}

/** A request without what is another one every time. */
function comparable({ line, headers, body }: Requested) {
  const { host: _host, 'idempotency-key': key, ...others } = headers;
  return {
    line,
    headers: others,
    keyLength: String(key).length,
    body: JSON.parse(body) as unknown,
    reference: body,
  };
}

function comparableEvent({ routingKey, properties, body }: Told) {
  const { id, time, data, ...others } = JSON.parse(body) as {
    readonly id: string;
    readonly time: string;
    readonly data: { readonly cause: string; readonly booking: { readonly reference: string } };
  };
  const { messageId, ...otherProperties } = properties;
  const { cause, ...otherData } = data;
  return {
    routingKey,
    properties: otherProperties,
    isKeyOfTheEdition: messageId === id,
    lengths: [id, time, cause].map((text) => text.length),
    event: others,
    data: otherData,
    reference: data.booking.reference,
  };
}

function byReference(one: { readonly reference: string }, other: { readonly reference: string }): number {
  return one.reference < other.reference ? -1 : 1;
}
