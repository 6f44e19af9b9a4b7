import { expect } from 'chai';
import { SystemClock } from '../../engine/clock.ts';
import { BridgeError } from '../../engine/errors.ts';
import { systemRandom } from '../../engine/random.ts';
import { plainSeal } from '../../engine/seal.ts';
import { migrate } from '../../engine/store/postgres/migrate.ts';
import { openPostgresStore, type PostgresStore } from '../../engine/store/postgres/store.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';
import { type Cut, type CutProxy, cutProxy } from '../support/cut-proxy.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import {
  arrival,
  digest,
  edition,
  OUT,
  oneDelivery,
  ROUTE,
  settlement,
} from '../support/store-conformance.ts';

const ROUNDS = 6;
const nothing = () => ({ messages: [], step: null });
const DELIVERED = { kind: 'ended', as: 'delivered' } as const;

describe('a COMMIT whose reply is lost', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let proxy: CutProxy;
  let store: PostgresStore;
  const events: EngineEvent[] = [];

  before(async () => {
    database = await testDatabase();
    await migrate(database.url);
    proxy = await cutProxy(database.url);
    store = await openPostgresStore({
      url: proxy.url,
      seal: plainSeal,
      digest,
      clock: new SystemClock(),
      random: systemRandom,
      telemetry: { emit: (event) => events.push(event) },
    });
    await store.join();
  });
  after(async () => {
    await store.close();
    await proxy.close();
    await database.drop();
  });
  beforeEach(() => {
    events.length = 0;
  });

  const count = async (table: string): Promise<number> =>
    (await database.query<{ count: number }>(`select count(*)::int4 from hisbridge.${table}`))[0]?.count ??
    -1;
  const found = (what: string) =>
    events.flatMap((event) => (event.kind === 'commit-unknown' && event.what === what ? [event.found] : []));

  for (const cut of ['before-commit', 'after-commit'] satisfies Cut[]) {
    it(`keeps every message once, cut ${cut}`, async () => {
      const before = await count('message');
      for (let n = 0; n < ROUNDS; n += 1) {
        const batch = [1, 2, 3].map((m) => arrival(`{"n":${n},"m":${m}}`, { booking: `K-${cut}-${m}` }));
        proxy.arm(cut);
        const kept = await store.keep(batch, oneDelivery({ hot: true }));
        expect(kept.map(({ kind }) => kind)).to.deep.equal(['accepted', 'accepted', 'accepted']);
        const running = kept.flatMap((one) => (one.kind === 'accepted' ? [...one.running] : []));
        expect(running).to.have.length(n === 0 ? 3 : 0);
      }
      expect(await count('message')).to.equal(before + 3 * ROUNDS);
      expect(found('keep')).to.deep.equal(Array.from({ length: ROUNDS }, () => cut === 'after-commit'));
      expect((await store.owned()).length).to.be.greaterThan(0);
    });

    it(`settles every attempt once and hands the next over, cut ${cut}`, async () => {
      const booking = `S-${cut}`;
      await store.keep(
        Array.from({ length: ROUNDS }, (_, n) => arrival(`{"n":${n}}`, { booking })),
        oneDelivery(),
      );
      let work =
        (await store.claim(OUT, [ROUTE], 100)).find(({ bookingRef }) => bookingRef === booking) ?? null;
      const seen: string[] = [];
      const ended = await count('delivery_ended');
      const attempts = await count('attempt');
      while (work !== null) {
        seen.push(Buffer.from(work.message.body).toString());
        expect(await store.writeEditions([edition(work)])).to.deep.equal([true]);
        proxy.arm(cut);
        const [settled] = await store.settle([settlement(work, DELIVERED)], nothing);
        expect(settled?.kind).to.equal('settled');
        work = settled?.kind === 'settled' ? settled.promoted : null;
      }
      expect(seen).to.deep.equal(Array.from({ length: ROUNDS }, (_, n) => `{"n":${n}}`));
      expect(await count('delivery_ended')).to.equal(ended + ROUNDS);
      expect(await count('attempt')).to.equal(attempts + ROUNDS);
      expect(found('settle')).to.deep.equal(Array.from({ length: ROUNDS }, () => cut === 'after-commit'));
    });
  }

  it('says that the store is unavailable when the connection was gone before anything was written', async () => {
    const away = await cutProxy(database.url);
    const other = await openPostgresStore({
      url: away.url,
      seal: plainSeal,
      digest,
      clock: new SystemClock(),
      random: systemRandom,
      telemetry: { emit: () => undefined },
    });
    await away.close();
    const before = await count('message');
    const thrown = await other.keep([arrival('{"gone":1}')], oneDelivery()).then(
      () => null,
      (error: unknown) => error,
    );
    expect(thrown).to.be.instanceOf(BridgeError).and.include({ code: 'store-unavailable' });
    expect(await count('message')).to.equal(before);
    await other.close();
  });
});
