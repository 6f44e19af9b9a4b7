import type pg from 'pg';
import type { BreakerState } from '../../breaker.ts';
import type { SystemClock } from '../../clock.ts';
import { BridgeError } from '../../errors.ts';
import type { Digest } from '../../lane.ts';
import {
  type ChannelName,
  type DeliveryId,
  type EditionId,
  type MessageId,
  newId,
  type RouteName,
  type SystemName,
} from '../../message.ts';
import type { Random } from '../../random.ts';
import type { Seal } from '../../seal.ts';
import type { Edition, Keeping, Kept, Membership, Settled, Settlement, Store, Work } from '../../store.ts';
import type { Telemetry } from '../../telemetry.ts';
import type { Decide } from '../folding.ts';
import { texts } from './arrays.ts';
import type { Surroundings } from './batch.ts';
import { Connection, type Session } from './connection.ts';
import { writeEditionBatch } from './editions.ts';
import { unavailable } from './failure.ts';
import { type Hands, keepBatch } from './keep.ts';
import { BEATING, PostgresMembership } from './membership.ts';
import { ensurePartitions, firstIdOf } from './partitions.ts';
import { Presence, TOPIC } from './presence.ts';
import { Readers } from './readers.ts';
import { PostgresRecords } from './records.ts';
import { giveBack, LOCK_NAMED, OWNED, RECOVERING } from './recovery.ts';
import { type WorkRow, workOf } from './rows.ts';
import { settleBatch } from './settle.ts';
import { CLAIM, CLAIM_STRAYED, call, FINDING, KEEPING, SETTLING, WRITE_EDITIONS } from './statements.ts';
import { moveBreaker } from './states.ts';
import type { Encoding } from './writes.ts';

export interface PostgresStoreOptions {
  readonly url: string;
  readonly seal: Seal;
  readonly digest: Digest;
  readonly clock: SystemClock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** How long a batch whose COMMIT got no reply is looked for before the call is given up. */
  readonly unknownForMs?: number;
}

const UNKNOWN_FOR_MS = 60_000;
/** Wake-ups go out at most this often. */
const WAKE_EVERY_MS = 10;
const READY_EVERY_MS = 250;
const HOUR_MS = 3_600_000;
/** Small enough that no arrival waits for it: 4 ms at the most. */
const FORGOTTEN_AT_ONCE = 5_000;

/** The store in PostgreSQL. One connection for each purpose, so that none waits for another's work. */
export class PostgresStore implements Store {
  readonly #options: PostgresStoreOptions;
  readonly #server: { readonly url: string };
  readonly #keeping: Connection;
  readonly #settling: Connection;
  readonly #editions: Connection;
  readonly #claiming: Connection;
  readonly #readers: Readers;
  readonly #around: Surroundings;
  readonly #encoding: Encoding;
  readonly #listeners = new Set<(channels: readonly ChannelName[]) => void>();
  readonly #toWake = new Set<ChannelName>();
  #presence: Presence | null = null;
  #plan: string | null = null;
  #others = false;
  #waking: Promise<void> | null = null;

  /** Settings of the server that void the promise. To be shown everywhere; empty unless allowed at opening. */
  readonly dangers: readonly string[];
  /** What people ask, and do by hand. */
  readonly records: PostgresRecords;
  #closing: Promise<void> | null = null;

  constructor(options: PostgresStoreOptions, dangers: readonly string[]) {
    this.dangers = dangers;
    const { url, seal, digest, clock, telemetry, unknownForMs = UNKNOWN_FOR_MS } = options;
    this.#options = options;
    this.#server = { url };
    this.#keeping = new Connection(this.#server, 'keep', [...KEEPING, ...FINDING]);
    this.#settling = new Connection(this.#server, 'settle', [...SETTLING, ...FINDING]);
    this.#editions = new Connection(this.#server, 'editions', [WRITE_EDITIONS]);
    this.#claiming = new Connection(this.#server, 'claims', [CLAIM, ...BEATING, ...RECOVERING]);
    this.#readers = new Readers(url);
    const newEdition = () => this.#newId<EditionId>();
    this.records = new PostgresRecords({ pool: this.#readers.pool, seal, digest, newEdition });
    this.#encoding = { seal, digest, plan: () => this.#plan };
    this.#around = { clock, telemetry, unknownForMs, makePlaces: (ids) => this.#makePlaces(ids) };
  }

  keep(batch: readonly Keeping[], decide: Decide<Keeping>): Promise<readonly Kept[]> {
    return keepBatch(batch, decide, this.#hands(this.#keeping));
  }

  writeEditions(batch: readonly Edition[]): Promise<readonly boolean[]> {
    return writeEditionBatch(batch, this.#hands(this.#editions));
  }

  settle(batch: readonly Settlement[], decide: Decide<Settlement>): Promise<readonly Settled[]> {
    const newMessageId = () => this.#newId<MessageId>();
    return settleBatch(batch, decide, { ...this.#hands(this.#settling), newMessageId });
  }

  async claim(channel: ChannelName, routes: readonly RouteName[], limit: number): Promise<readonly Work[]> {
    const me = this.#owner();
    if (limit < 1) return [];
    const rows = await this.#claim((session) =>
      session.send([call(CLAIM, me, channel, texts(routes), limit)]),
    );
    return (rows[0] ?? []).map((row) => workOf(this.#options.seal, row as unknown as WorkRow));
  }

  async claimStrayed(routes: readonly RouteName[], forMs: number, limit: number): Promise<readonly Work[]> {
    const me = this.#owner();
    const rows = await this.#claim((session) =>
      session.send([call(CLAIM_STRAYED, me, texts(routes), forMs, limit)]),
    );
    return (rows[0] ?? []).map((row) => workOf(this.#options.seal, row as unknown as WorkRow));
  }

  async owned(): Promise<readonly DeliveryId[]> {
    const me = this.#owner();
    const [rows = []] = await this.#claim((session) => session.send([call(OWNED, me)]));
    return rows.map(({ id }) => id as DeliveryId);
  }

  async release(deliveries: readonly DeliveryId[]): Promise<number> {
    const me = this.#owner();
    if (deliveries.length === 0) return 0;
    const { queued, channels } = await this.#claim((session) =>
      giveBack(session, call(LOCK_NAMED, me, [...deliveries]), () => this.#newId<string>()),
    );
    this.#queued(channels);
    return queued;
  }

  async bookingsToWake(states: readonly string[], limit: number) {
    const rows = await this.#read<{ reference: string; hospital: SystemName; version: string }>(
      `select reference, hospital, version from hisbridge.booking
        where wake_at <= now() and state = any($1) order by wake_at limit $2`,
      [states, limit],
    );
    return rows.map((row) => ({ ...row, version: Number(row.version) }));
  }

  async join(): Promise<Membership> {
    const { clock } = this.#options;
    await this.#presence?.close();
    this.#listeners.clear();
    const presence = await Presence.open(this.#newId<string>(), {
      server: this.#server,
      sleep: (ms) => clock.sleep(ms),
      onWake: (channels) => this.#tell(channels),
    });
    this.#presence = presence;
    return new PostgresMembership({
      presence,
      connection: this.#claiming,
      clock,
      newId: () => this.#newId<string>(),
      living: (count) => {
        this.#others = count > 1;
      },
      queued: (channels) => this.#queued(channels),
      addListener: (listener) => this.#listeners.add(listener),
      left: () => {
        if (this.#presence === presence) this.#presence = null;
      },
    });
  }

  wake(channels: readonly ChannelName[]): void {
    // One that is no instance itself works for all of them; an only one has nobody to tell.
    if (this.#presence !== null && !this.#others) return;
    for (const channel of channels) this.#toWake.add(channel);
    this.#waking ??= this.#wakeSoon();
  }

  moveBreaker(
    channel: ChannelName,
    from: number,
    to: BreakerState,
  ): Promise<{ readonly moved: boolean; readonly state: BreakerState }> {
    return this.#claim((session) => moveBreaker(session, channel, from, to));
  }

  async savePlan(hash: string, files: ReadonlyMap<string, string>): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(Object.fromEntries(files)));
    await this.#read('insert into hisbridge.plan (hash, files) values ($1, $2) on conflict do nothing', [
      hash,
      bytes,
    ]);
    this.#plan = hash;
  }

  async ledgerDifferences(): Promise<readonly MessageId[]> {
    // Ids are by time, so the range of ids finds the days; an hour of room for clocks.
    const since = firstIdOf(new Date(this.#options.clock.now().getTime() - HOUR_MS));
    const rows = await this.#read<{ id: MessageId }>(
      `select m.id from hisbridge.message m
        where m.id >= $1::uuid and m.promised > 0
          and m.kept_at between now() - interval '10 minutes' and now() - interval '10 seconds'
          and m.promised <> (select count(*) from hisbridge.delivery d where d.message_id = m.id)
            + (select count(*) from hisbridge.delivery_ended e where e.message_id = m.id and e.id >= $1::uuid)`,
      [since],
    );
    return rows.map(({ id }) => id);
  }

  async maintain(): Promise<void> {
    await this.#makePlaces([]);
    let forgotten: readonly unknown[];
    do {
      forgotten = await this.#read(
        `with old as (select channel, key from hisbridge.dedupe where expires_at < now() limit $1 for update skip locked)
         delete from hisbridge.dedupe d using old where d.channel = old.channel and d.key = old.key returning 1`,
        [FORGOTTEN_AT_ONCE],
      );
    } while (forgotten.length === FORGOTTEN_AT_ONCE);
  }

  async ready(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#readers.pool.query(
          `insert into hisbridge.probe (at) values (now()) on conflict (one) do update set at = excluded.at`,
        );
        return;
      } catch {
        // Whatever it is, the store takes nothing yet.
        await this.#options.clock.sleep(READY_EVERY_MS, signal);
      }
    }
    throw new BridgeError('store-unavailable', 'stopped waiting for the store', { cause: signal.reason });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#waking;
    await Promise.all([
      this.#presence?.close(),
      this.#keeping.close(),
      this.#settling.close(),
      this.#editions.close(),
      this.#claiming.close(),
      this.#readers.close(),
    ]);
  }

  #hands(connection: Connection): Hands {
    return {
      connection,
      around: this.#around,
      encoding: this.#encoding,
      me: () => this.#presence?.id ?? null,
      queued: (channels) => this.#queued(channels),
    };
  }

  #newId<Id extends string>(): Id {
    return newId<Id>(this.#options.clock, this.#options.random);
  }

  #owner(): string {
    if (this.#presence === null)
      throw new BridgeError('store-mismatch', 'only an instance that joined owns deliveries');
    return this.#presence.id;
  }

  async #claim<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.#claiming.exclusive(work);
    } catch (thrown) {
      throw unavailable(thrown);
    }
  }

  async #read<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<readonly Row[]> {
    try {
      return (await this.#readers.pool.query<Row>(text, values)).rows;
    } catch (thrown) {
      throw unavailable(thrown);
    }
  }

  async #makePlaces(ids: readonly string[]): Promise<void> {
    const client = await this.#readers.pool.connect().catch((thrown) => Promise.reject(unavailable(thrown)));
    let broken = false;
    const broke = () => {
      broken = true;
    };
    client.on('error', broke);
    try {
      await ensurePartitions(client, ids);
    } catch (thrown) {
      throw broken ? unavailable(thrown) : thrown;
    } finally {
      client.off('error', broke);
      client.release(broken);
    }
  }

  #queued(channels: ReadonlySet<ChannelName>): void {
    if (channels.size > 0) this.#tell([...channels]);
  }

  #tell(channels: readonly ChannelName[]): void {
    for (const listener of this.#listeners) listener(channels);
  }

  /** What cannot be told is found by the polls of the instances. */
  async #notify(channels: readonly ChannelName[]): Promise<void> {
    const told = this.#readers.pool.query('select pg_notify($1, c) from unnest($2::text[]) c', [
      TOPIC,
      channels,
    ]);
    await told.catch(() => undefined);
  }

  async #wakeSoon(): Promise<void> {
    await this.#options.clock.sleep(WAKE_EVERY_MS);
    const channels = [...this.#toWake];
    this.#toWake.clear();
    this.#waking = null;
    if (this.#presence !== null) this.#presence.notify(channels);
    else await this.#notify(channels);
  }
}
