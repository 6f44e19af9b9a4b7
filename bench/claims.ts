import type pg from 'pg';
import { SystemClock } from '../engine/clock.ts';
import { keyedDigest } from '../engine/lane.ts';
import { type ChannelName, newId, type RouteName } from '../engine/message.ts';
import { systemRandom } from '../engine/random.ts';
import { plainSeal } from '../engine/seal.ts';
import { connect } from '../engine/store/postgres/connection.ts';
import { CLAIM } from '../engine/store/postgres/statements.ts';
import { openPostgresStore, type PostgresStore } from '../engine/store/postgres/store.ts';
import type { Settlement, Work } from '../engine/store.ts';
import { median, quantile, table } from './figures.ts';
import type { Ground, Place } from './place.ts';

export interface Claims {
  readonly waiting: number;
  readonly lanes: readonly LaneClaims[];
}

interface LaneClaims {
  readonly lanes: number;
  /** Deliveries that one claim of at most 50 got. */
  readonly got: number;
  readonly claimMs: number;
  readonly claimP99Ms: number;
  /** Settling what was claimed, with the promotion of the next of each lane. */
  readonly settleMs: number;
  /** Pages read for one claim, from memory or not. */
  readonly buffers: number;
}

const CHANNEL = 'riverside-out' as ChannelName;
const ROUTE = 'to-riverside' as RouteName;
const LIMIT = 50;
const CLAIMS = 200;
const DIGEST_KEY = 'a key of the bench, never used elsewhere';

/** What a claim and a settlement cost the store itself, with so many deliveries open in so many lanes. */
export async function measureClaims(place: Place, waiting: number): Promise<Claims> {
  const lanes: LaneClaims[] = [];
  for (const count of [1_000, 1]) lanes.push(await claimsOf(place, waiting, count));
  return { waiting, lanes };
}

async function claimsOf(place: Place, waiting: number, lanes: number): Promise<LaneClaims> {
  const ground = await place.ground();
  try {
    await fill(ground.database, waiting, lanes);
    const buffers = await buffersOfClaim(ground);
    return { ...(await timesOf(ground)), lanes, buffers };
  } finally {
    await ground.remove();
  }
}

/** Lanes as a hospital that was away leaves them: the head of each queued and due, all others waiting behind it. */
async function fill(database: pg.Client, waiting: number, lanes: number): Promise<void> {
  await database.query(FILL_MESSAGES);
  await database.query(FILL_DELIVERIES, [waiting, lanes]);
  await database.query('vacuum analyze hisbridge.delivery');
  await database.query('checkpoint');
}

// Many deliveries share a message here: what a claim reads of it is a row of the usual size all the same.
const FILL_MESSAGES = `
  insert into hisbridge.message
    (id, correlation, channel, type, hospital, booking, form, headers, body, digest, state, promised, received_at)
  select uuidv7(), 'BK-' || n, 'dawy-in', 'booking.requested', 'riverside', 'BK-' || n, 'bytes', '\\x007b7d',
      decode('00' || repeat('20', 900), 'hex'), sha256('\\x00'), 'kept', 1, now()
    from generate_series(1, 10000) n`;

const FILL_DELIVERIES = `
  with messages as materialized (select array_agg(id) as ids from hisbridge.message)
  insert into hisbridge.delivery
    (id, message_id, route, channel, hospital, lane, state, head, edition, due_at, give_up_at)
  select uuidv7(), ids[1 + n % 10000], '${ROUTE}', '${CHANNEL}', 'riverside', decode(md5((n % $2::int)::text), 'hex'),
      case when n < $2 then 'queued' else 'waiting' end, n < $2, uuidv7(), now(), now() + interval '1 day'
    from messages, generate_series(0, $1::int - 1) n`;

async function timesOf({ env }: Ground): Promise<Omit<LaneClaims, 'lanes' | 'buffers'>> {
  const clock = new SystemClock();
  const store = await openPostgresStore({
    url: env['DATABASE_URL'] ?? '',
    seal: plainSeal,
    digest: keyedDigest(DIGEST_KEY),
    clock,
    random: systemRandom,
    telemetry: { emit: () => undefined },
  });
  try {
    await store.savePlan('bench', new Map());
    const membership = await store.join();
    const claims: number[] = [];
    const settles: number[] = [];
    let got = 0;
    for (let claim = 0; claim < CLAIMS; claim += 1) {
      const begin = performance.now();
      const works = await store.claim(CHANNEL, [ROUTE], LIMIT);
      const claimed = performance.now();
      await settle(store, works, clock);
      claims.push(claimed - begin);
      settles.push(performance.now() - claimed);
      got = works.length;
    }
    await membership.leave();
    return { got, claimMs: median(claims), claimP99Ms: quantile(claims, 0.99), settleMs: median(settles) };
  } finally {
    await store.close();
  }
}

async function settle(store: PostgresStore, works: readonly Work[], clock: SystemClock): Promise<void> {
  const at = clock.now();
  const settlements = works.map(
    ({ delivery }): Settlement => ({
      delivery,
      next: { kind: 'ended', as: 'delivered' },
      onDead: 'block',
      attempt: {
        id: newId(clock, systemRandom),
        kind: 'send',
        no: 1,
        startedAt: at,
        endedAt: at,
        outcome: 'taken',
        summary: '',
        response: null,
        plan: 'bench',
      },
      booking: null,
      lanes: [],
      fence: 'owned',
      audit: null,
      promoteHot: false,
    }),
  );
  const settled = await store.settle(settlements, () => ({ messages: [], step: null }));
  if (settled.some(({ kind }) => kind !== 'settled')) throw new Error('a settlement was fenced');
}

interface Explained {
  readonly Plan: { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number };
}

/** By the plan that the store's own connections use. */
async function buffersOfClaim({ env }: Ground): Promise<number> {
  const session = await connect({ url: env['DATABASE_URL'] ?? '' }, 'bench', []);
  try {
    const nobody = '00000000-0000-7000-8000-000000000000';
    await session.one('begin');
    await session.one(`prepare claim_explained as ${CLAIM.text}`);
    const [row] = await session.one(
      `explain (analyze, buffers, format json) execute claim_explained('${nobody}', '${CHANNEL}', '{${ROUTE}}', ${LIMIT})`,
    );
    await session.one('rollback');
    const [{ Plan: plan } = { Plan: null }] = (row?.['QUERY PLAN'] ?? []) as readonly Explained[];
    return plan === null ? Number.NaN : plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  } finally {
    await session.end();
  }
}

export function printClaims({ waiting, lanes }: Claims): void {
  console.log(`\nclaims of at most ${LIMIT}, ${waiting} open (medians of ${CLAIMS}):`);
  table(
    ['lanes', 'got', 'claim ms', 'p99', 'settle and promote ms', 'buffers'],
    lanes.map(({ lanes: count, got, claimMs, claimP99Ms, settleMs, buffers }) => [
      `${count}`,
      `${got}`,
      claimMs.toFixed(2),
      claimP99Ms.toFixed(2),
      settleMs.toFixed(2),
      `${buffers}`,
    ]),
  );
}
