import { BridgeError } from '../../errors.ts';
import type { ChannelName } from '../../message.ts';
import { connect, type Server, type Session } from './connection.ts';
import { unavailable } from './failure.ts';
import { endOrBreak } from './goodbye.ts';

/** The space of the advisory locks that stand for instances; lanes use the 64-bit space, which is another. */
export const INSTANCE_LOCKS = 1_751_741_026;
/** Where wake-ups are told. */
export const TOPIC = 'hisbridge_wake';
const RECONNECT_MS = 250;

interface Surroundings {
  readonly server: Server;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onWake: (channels: readonly ChannelName[]) => void;
}

/**
 * The connection that shows that an instance lives: it holds the session lock on its slot, hears
 * wake-ups and sends them. When it breaks it is opened again; the instance lives on if nobody took
 * its work over meanwhile.
 */
export class Presence {
  readonly id: string;
  readonly slot: number;
  readonly #around: Surroundings;
  #session: Session;
  /** The one that is to take its place, while it waits for the lock. */
  #candidate: Session | null = null;
  #left = false;
  #lost = false;
  #restoring: Promise<void> = Promise.resolve();

  private constructor(id: string, slot: number, session: Session, around: Surroundings) {
    this.id = id;
    this.slot = slot;
    this.#session = session;
    this.#around = around;
    this.#attend(session);
  }

  static async open(id: string, around: Surroundings): Promise<Presence> {
    const session = await connect(around.server, 'listen', []).catch((thrown) =>
      Promise.reject(unavailable(thrown)),
    );
    try {
      for (;;) {
        const [row] = await session.one(
          `select s.slot, pg_try_advisory_lock(${INSTANCE_LOCKS}, s.slot) as mine
             from (select nextval('hisbridge.instance_slot')::int4 as slot offset 0) s`,
        );
        if (row?.['mine'] !== true) continue;
        const slot = Number(row['slot']);
        await session.one(`listen ${TOPIC}`);
        await session.one(
          `insert into hisbridge.instance (id, slot, beat, grace_ms) values ($1::uuid, $2::int4, clock_timestamp(), 0)`,
          [id, slot],
        );
        return new Presence(id, slot, session, around);
      }
    } catch (thrown) {
      session.destroy();
      throw BridgeError.from(thrown, 'store-unavailable', 'store');
    }
  }

  /** Its row is gone, or its lock could not be taken again: whatever it owned is another's now. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Whether the session that holds the lock stands, as far as is known here. */
  get holds(): boolean {
    return !this.#left && !this.#lost && !this.#session.broken;
  }

  /** Tells the other instances. What cannot be told is found by their polls. */
  notify(channels: readonly ChannelName[]): void {
    if (this.#session.broken || this.#left) return;
    const told = this.#session.one(`select pg_notify('${TOPIC}', c) from unnest($1::text[]) c`, [
      [...channels],
    ]);
    told.catch(() => this.#session.destroy());
  }

  async close(): Promise<void> {
    this.#left = true;
    await this.#session.end();
    await endOrBreak(this.#restoring, () => this.#candidate?.destroy());
  }

  #attend(session: Session): void {
    const own = session.backend;
    session.client.on('notification', ({ processId, payload }) => {
      if (processId !== own && payload !== undefined) this.#around.onWake([payload as ChannelName]);
    });
    session.client.on('end', () => {
      if (this.#left || this.#lost) return;
      this.#restoring = this.#restore(session.name);
    });
  }

  async #restore(before: string): Promise<void> {
    while (!this.#left && !this.#lost) {
      try {
        const session = await connect(this.#around.server, 'listen', []);
        await this.#takeUp(session, before);
        return;
      } catch {
        // Whatever went wrong, the row decides: until it is read under the lock, try again.
        await this.#around.sleep(RECONNECT_MS);
      }
    }
  }

  async #takeUp(session: Session, before: string): Promise<void> {
    this.#candidate = session;
    try {
      // The old backend may not have noticed yet that its client is gone.
      await session.one(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`,
        [before],
      );
      await session.one(`select pg_advisory_lock(${INSTANCE_LOCKS}, $1::int4)`, [this.slot]);
      await session.one(`listen ${TOPIC}`);
      const rows = await session.one('select 1 from hisbridge.instance where id = $1::uuid', [this.id]);
      if (rows.length === 0) this.#lost = true;
      if (this.#left || this.#lost) return await session.end();
      this.#session = session;
      this.#attend(session);
    } catch (thrown) {
      session.destroy();
      throw thrown;
    } finally {
      this.#candidate = null;
    }
  }
}
