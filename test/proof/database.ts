import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { cutProxy } from '../support/cut-proxy.ts';
import { asked, publishOnce, publishTwoHundred } from './load.ts';
import type { Place } from './place.ts';
import { caughtOn } from './strikes.ts';
import { commitReply } from './traps.ts';
import { type Cell, come, meanwhile, prove, type Trial } from './trial.ts';

export const DATABASE: readonly Cell[] = [
  {
    id: 'R15',
    fault: 'the backend ended while it commits (M2, M6), and thirty at random',
    expects: 'unknown: looked up by its ids, never assumed',
    cheap: true,
    run: backendsEnded,
  },
  {
    id: 'R16',
    fault: 'the connection cut exactly on the reply to COMMIT',
    expects: 'as many rows as messages: 100 = 100',
    cheap: true,
    run: repliesCut,
  },
  {
    id: 'R17',
    fault: 'PostgreSQL killed with -9, eight times',
    expects: 'nothing lost, working again within 5 s of its return',
    cheap: false,
    run: serverKilled,
  },
  {
    id: 'R21',
    fault: 'every free connection taken, and a storm of locks',
    expects: 'the engine waits, takes no harm, meets no deadlock, and goes on within 5 s',
    cheap: false,
    run: lockStorm,
  },
  {
    id: 'R22',
    fault: 'another session that locks in another order: 40P01',
    expects: 'the batch is run again, at most five times; nothing lost or doubled',
    cheap: false,
    run: deadlocked,
  },
];

async function backendsEnded(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  for (const purpose of ['keep', 'settle'] as const) {
    const load = () => publishTwoHundred(place, trial.chance);
    await caughtOn('database', commitReply(purpose), async (caught) => {
      await endBackends(place, purpose, 100);
      caught.reset();
    })({ place, engine, load });
    trial.faults += 1;
  }
  const publishing = meanwhile(publishTwoHundred(place, trial.chance));
  for (let blow = 0; blow < 30; blow += 1) {
    trial.faults += await endBackends(place, '', 1);
    await delay(20 + trial.chance.below(120));
  }
  await publishing;
  await world.quiet();
  const unknown = world.logged('commit-unknown');
  const found = unknown.filter((line) => line['found'] === true).length;
  trial.figure(
    `${unknown.length} COMMITs without a reply: ${found} were there, ${unknown.length - found} were not`,
  );
  prove(found > 0, 'no COMMIT was looked up and found: this proves nothing');
  await trial.judge(place);
}

/** Ends some backends of the engines, of one purpose or any. */
async function endBackends(place: Place, purpose: string, most: number): Promise<number> {
  const ended = await place.ask(
    `select pg_terminate_backend(pid) from (select pid from pg_stat_activity
      where datname = current_database() and application_name like 'hisbridge ' || $1 || '%'
      order by random() limit $2) doomed`,
    [purpose, most],
  );
  return ended.length;
}

const MESSAGES = 100;

async function repliesCut(trial: Trial): Promise<void> {
  let proxy: Awaited<ReturnType<typeof cutProxy>> | null = null;
  const place = await trial.open();
  // In front of the link, so that every COMMIT passes it.
  proxy = await cutProxy(place.links.database.url);
  const { cutAtRate, url } = proxy;
  trial.after(() => proxy?.close() ?? Promise.resolve());
  const { world } = place;
  const engine = world.addEngine({ env: { DATABASE_URL: url } });
  await engine.start();
  cutAtRate(0.5, () => trial.chance.fraction());
  await publishOnce(place, asked(MESSAGES), 4);
  await world.quiet();
  cutAtRate(0, () => 0);
  trial.faults += proxy.cuts;
  const rows = await world.database.keptFrom('dawy-in');
  trial.figure(`${proxy.cuts} COMMITs cut, ${world.logged('commit-unknown').length} looked up, ${rows} rows`);
  prove(proxy.cuts >= 10, 'too few COMMITs were cut to prove anything');
  prove(rows === MESSAGES, `${rows} rows for ${MESSAGES} messages`);
  const { summary } = await trial.judge(place);
  prove(summary.effects === MESSAGES, `${summary.effects} effects for ${MESSAGES} messages`);
}

const SERVER_KILLS = 8;
const RESUMES_MS = 5_000;

async function serverKilled(trial: Trial): Promise<void> {
  const place = await trial.open({ ownDatabase: true, engines: 2 });
  const { world } = place;
  await world.start();
  let slowest = 0;
  for (let kill = 0; kill < SERVER_KILLS; kill += 1) {
    const publishing = meanwhile(publishTwoHundred(place, trial.chance));
    await delay(100 + trial.chance.fraction() * 900);
    await world.database.crash();
    trial.faults += 1;
    const back = performance.now();
    const before = await deliveriesEnded(place);
    await come(
      'the first delivery after PostgreSQL is back',
      async () => (await deliveriesEnded(place)) > before,
    );
    slowest = Math.max(slowest, performance.now() - back);
    await publishing;
    await world.quiet();
  }
  await trial.judge(place);
  trial.took('slowest return to work after PostgreSQL took connections', slowest, RESUMES_MS);
}

/** Asked until it can be: the pool of the test meets the same crash. */
async function deliveriesEnded(place: Place): Promise<number> {
  for (;;) {
    try {
      return await place.number('select count(*) from hisbridge.delivery_ended');
    } catch {
      await delay(20);
    }
  }
}

const STORM_SESSIONS = 40;
const STORM_MS = 6_000;

/** Sessions that hold locks on rows and lanes for a while, and others that only sit on what connections are left. */
async function lockStorm(trial: Trial): Promise<void> {
  const place = await trial.open({ ownDatabase: true });
  const { world, engine } = place;
  await engine.start();
  const publishing = meanwhile(publishTwoHundred(place, trial.chance));
  const until = performance.now() + STORM_MS;
  const sessions: pg.Client[] = [];
  trial.after(() => Promise.all(sessions.map((session) => session.end())));
  for (let at = 0; at < STORM_SESSIONS; at += 1) sessions.push(await place.session());
  await Promise.all(sessions.map((session) => holdLocks(session, until, trial)));

  const idle: pg.Client[] = [];
  trial.after(() => Promise.all(idle.map((session) => session.end())));
  for (let full = false; !full; ) {
    try {
      idle.push(await place.session());
    } catch {
      full = true;
    }
  }
  // Without a free connection, those it has are taken away: it must wait for new ones.
  trial.faults += place.links.database.reset();
  const more = meanwhile(publishOnce(place, asked(60)));
  await delay(1_500);
  prove(engine.runs, `the engine ended: ${engine.end}`);
  await Promise.all(idle.splice(0).map((session) => session.end()));
  const freed = performance.now();
  const before = await deliveriesEnded(place);
  await come('the first delivery after the storm', async () => (await deliveriesEnded(place)) > before);
  const resumed = performance.now() - freed;
  await publishing;
  await more;
  await world.quiet();
  trial.figure(`${STORM_SESSIONS} sessions held locks ${trial.faults} times`);
  await trial.judge(place);
  trial.took('at work after connections were free', resumed, RESUMES_MS);
}

async function holdLocks(session: pg.Client, until: number, trial: Trial): Promise<void> {
  while (performance.now() < until) {
    await session.query('begin');
    // One at a time: what this session asks for while it holds something could be a deadlock of its own making.
    const { rowCount } = await session.query(
      `select id from hisbridge.delivery order by random() limit 1 for update`,
    );
    await session.query(`select pg_sleep($1)`, [0.05 + trial.chance.fraction() * 0.2]);
    await session.query('commit');
    trial.faults += rowCount ?? 0;
  }
}

const DEADLOCKS = 5;

/**
 * A session that first takes a delivery, then the lock of its lane, which is the other way round than the engine does:
 * with the engine in between, PostgreSQL must end one of the two.
 */
async function deadlocked(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  await engine.start();
  for (const hospital of Object.values(world.hospitals)) await hospital.break('slow', { delayMs: 150 });
  const publishing = meanwhile(publishTwoHundred(place, trial.chance));
  const session = await place.session();
  trial.after(() => session.end());
  // The engine is to be the one that is ended, so this one is patient.
  await session.query(`set deadlock_timeout = '60s'`);
  const deadlocks = () => world.database.deadlocks();
  for (let tries = 0; tries < 60 && (await deadlocks()) < DEADLOCKS; tries += 1) await crossing(session);
  await world.heal();
  await publishing;
  await world.quiet();
  trial.faults = await deadlocks();
  const again = world.logged('batch-retried');
  trial.figure(`${trial.faults} deadlocks, ${again.length} batches run again`);
  prove(again.length > 0, 'no batch was run again: this proves nothing');
  await trial.judge(place, { deadlocks: trial.faults });
}

async function crossing(session: pg.Client): Promise<void> {
  await session.query('begin');
  const { rows } = await session.query<{ lane: Buffer }>(
    `select lane from hisbridge.delivery where state = 'running' and lane is not null
      order by random() limit 1 for update skip locked`,
  );
  const [row] = rows;
  if (row !== undefined) {
    // Long enough that the engine comes with the lock of the lane and waits for the row.
    await session.query('select pg_sleep(0.3)');
    await session
      .query('select pg_advisory_xact_lock($1)', [row.lane.readBigInt64BE(0)])
      .catch(() => undefined);
  }
  await session.query('rollback');
}
