/**
 * START HERE: puts the parts together, nothing else. What a message goes through is in `intake.ts`,
 * `dispatcher.ts` and `delivery.ts`; what each part promises is in the other files of this folder.
 */
import { channelKinds } from '../channels/index.ts';
import { createDesk } from './booking/desk.ts';
import type { OutboundChannel } from './channel.ts';
import { SystemClock } from './clock.ts';
import { compile } from './config/compile.ts';
import { formatProblem } from './config/problems.ts';
import { type RememberingSource, readFolder, remembering } from './config/source.ts';
import { Engine } from './engine.ts';
import { BridgeError } from './errors.ts';
import { type Digest, keyedDigest } from './lane.ts';
import type { ChannelName } from './message.ts';
import type { OperationParts } from './operations/parts.ts';
import type { Compiled, Plan } from './plan.ts';
import { systemRandom } from './random.ts';
import type { Records } from './records.ts';
import { plainSeal } from './seal.ts';
import { migrate } from './store/postgres/migrate.ts';
import { openPostgresStore, type PostgresStore } from './store/postgres/store.ts';
import type { Telemetry } from './telemetry.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A configuration as it was read, and whether its files are different now. */
export interface Loaded {
  readonly compiled: Compiled;
  readonly source: RememberingSource;
}

/** Reads and compiles the folder of a routes.yaml. Never throws for what is written there: problems are listed. */
export function loadPlan(root: string, env: Environment): Loaded {
  const source = remembering(readFolder(root));
  return { source, compiled: compiled(source, env) };
}

/** Whatever the files hold ends as a problem: a running engine must outlive them. */
function compiled(source: RememberingSource, env: Environment): Compiled {
  try {
    return compile({ read: source.read, list: source.list, env, kinds: channelKinds });
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const message = `the configuration cannot be read: ${why}`;
    const instead =
      'Look for an alias or a link that leads back to itself, and for files that may not be read.';
    return {
      kind: 'problems',
      problems: [{ file: 'routes.yaml', line: 1, column: 1, message, instead, severity: 'error' }],
    };
  }
}

/** The problems of a configuration as people read them: file, line, column, what is wrong and what to write. */
export function problemsOf({ compiled, source }: Loaded): readonly string[] {
  const problems = compiled.kind === 'problems' ? compiled.problems : compiled.warnings;
  return problems.map((problem) => formatProblem(problem, textOf(source, problem.file)));
}

/** The text of a file for a code frame; none when the file is what the problem is about. */
function textOf(source: RememberingSource, file: string): string | null {
  try {
    return source.read(file);
  } catch {
    return null;
  }
}

/** Brings the tables to this version; returns what was applied. */
export function migrateStore(env: Environment): Promise<readonly string[]> {
  return migrate(databaseUrl(env));
}

/**
 * An outbound channel of a plan, outside an engine: to ask a hospital something, or to hear what a test answers.
 * With `address` it speaks to that one instead of the one in routes.yaml. The caller starts and stops it.
 */
export function openOutbound(plan: Plan, name: ChannelName, address?: string): OutboundChannel {
  const outbound = plan.outbound.get(name);
  const kind = channelKinds.find((candidate) => candidate.kind === outbound?.kind)?.outbound;
  if (outbound === undefined || kind === undefined)
    throw new BridgeError('not-found', `${name} is no outbound channel of routes.yaml`);
  const options = address === undefined ? outbound.options : { ...outbound.options, address };
  return kind.create(name, options as never, {
    system: outbound.system,
    connections: plan.systems.get(outbound.system)?.connections ?? {},
    clock: new SystemClock(),
    report: () => undefined,
    storeReady: () => Promise.resolve(),
    maySend: () => true,
  });
}

/** Opens the store as the environment says; with `begins` for an engine that is to work with it. */
export async function openStore(
  env: Environment,
  telemetry: Telemetry,
  {
    clock = new SystemClock(),
    begins = false,
  }: { readonly clock?: SystemClock; readonly begins?: boolean } = {},
): Promise<Opened> {
  const digest = keyedDigest(
    required(env, 'HISBRIDGE_DIGEST_KEY', 'a secret of at least 32 characters that never changes'),
  );
  const store = await openPostgresStore({
    url: databaseUrl(env),
    seal: plainSeal,
    digest,
    clock,
    random: systemRandom,
    telemetry,
    begins,
    allowUnsafe: env['HISBRIDGE_UNSAFE'] === '1',
  });
  return { store, digest, clock };
}

export interface Opened {
  readonly store: PostgresStore;
  readonly digest: Digest;
  readonly clock: SystemClock;
}

/** What people ask and do by hand, with or without engines beside it. */
export interface Office {
  readonly records: Records;
  /** What an act on a delivery needs, by the plan that is in force. */
  operations(plan: Plan): Promise<OperationParts>;
  close(): Promise<void>;
}

/** Opens the store to read in it and to act on what stands still. It joins no instances and takes no work. */
export async function openOffice(env: Environment, telemetry: Telemetry): Promise<Office> {
  const { store, digest, clock } = await openStore(env, telemetry);
  const { records } = store;
  return {
    records,
    async operations(plan) {
      await store.savePlan(plan.hash, plan.files);
      const openOwn = (name: ChannelName) => openOutbound(plan, name);
      const rest = { digest, clock, random: systemRandom, telemetry, desk: createDesk() };
      return { plan, store, records, openOutbound: openOwn, ...rest };
    },
    close: () => store.close(),
  };
}

export interface Bridge {
  readonly plan: Plan;
  /** Stops in order: nothing new, what is under way, the store. */
  stop(): Promise<void>;
}

export interface BridgeOptions {
  /** The folder of routes.yaml. */
  readonly root: string;
  readonly env: Environment;
  readonly telemetry: Telemetry;
}

const LOOK_MS = 500;

/**
 * Starts an engine on a configuration. Rejects with `config-invalid` and every problem, or with what
 * keeps the store from being safe. While it runs, a changed configuration takes the place of the old
 * one as a whole, or is refused with its problems and the old one stays.
 */
export async function openBridge({ root, env, telemetry }: BridgeOptions): Promise<Bridge> {
  const loaded = loadPlan(root, env);
  if (loaded.compiled.kind === 'problems') {
    throw new BridgeError('config-invalid', `routes.yaml has problems:\n${problemsOf(loaded).join('\n')}`);
  }
  const { store, digest, clock } = await openStore(env, telemetry, { begins: true });
  const engine = new Engine({
    plan: loaded.compiled.plan,
    kinds: channelKinds,
    store,
    desk: createDesk(),
    clock,
    follow: (time) => clock.follow(time),
    random: systemRandom,
    digest,
    telemetry,
  });
  const stopping = new AbortController();
  try {
    await engine.start();
  } catch (thrown) {
    await engine.stop().finally(() => store.close());
    throw thrown;
  }
  const watching = watch(engine, loaded.source, { root, env, telemetry }, clock, stopping.signal);
  return {
    get plan() {
      return engine.plan;
    },
    async stop() {
      stopping.abort();
      try {
        // Together: the watcher may be in the middle of a change that only stopping ends.
        await Promise.all([watching, engine.stop()]);
      } finally {
        await store.close();
      }
    },
  };
}

/** Looks for changed files, and puts in force what compiles. */
async function watch(
  engine: Engine,
  first: RememberingSource,
  { root, env, telemetry }: BridgeOptions,
  clock: SystemClock,
  signal: AbortSignal,
): Promise<void> {
  let source = first;
  let refused = '';
  let waits = false;
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal);
    if (signal.aborted || !(waits || isChanged(source))) continue;
    const loaded = loadPlan(root, env);
    source = loaded.source;
    const { problems, often } = await take(loaded, engine);
    waits = often && loaded.compiled.kind === 'plan';
    const said = problems.join();
    if (problems.length > 0 && said !== refused) telemetry.emit({ kind: 'plan-refused', problems });
    refused = often ? said : '';
  }
}

/** What keeps a changed configuration from being in force. What may be met at every look, often, is said once. */
async function take(
  loaded: Loaded,
  engine: Engine,
): Promise<{ readonly problems: readonly string[]; readonly often: boolean }> {
  // A file that cannot even be looked at is different at every look.
  if (loaded.compiled.kind === 'problems') return { problems: problemsOf(loaded), often: true };
  const obstacle = await put(engine, loaded.compiled.plan);
  if (obstacle === null) return { problems: [], often: false };
  // What only waits, for the store say, is tried at every look.
  return { problems: [obstacle.message], often: obstacle.fault === 'unavailable' };
}

/** Whether files are different now; one that cannot be looked at is. */
function isChanged(source: RememberingSource): boolean {
  try {
    return source.changed();
  } catch {
    return true;
  }
}

/** Whether two plans do the same: a secret in a file of its own changes a channel, and not the hash. */
function samePlan(one: Plan, other: Plan): boolean {
  const fingerprints = ({ inbound, outbound }: Plan) =>
    [...inbound.values(), ...outbound.values()].map(({ fingerprint }) => fingerprint).join();
  return one.hash === other.hash && fingerprints(one) === fingerprints(other);
}

/**
 * Puts a plan in force, unless it is. One that compiles may still not start: what stands in its way is returned, and
 * it is tried again when that was only away, a store say, or else at the next change, as for a queue that is missing.
 */
async function put(engine: Engine, plan: Plan): Promise<BridgeError | null> {
  if (samePlan(plan, engine.plan)) return null;
  try {
    await engine.activate(plan);
    return null;
  } catch (thrown) {
    return BridgeError.from(thrown, 'config-invalid', 'activate');
  }
}

function databaseUrl(env: Environment): string {
  return required(env, 'DATABASE_URL', 'the address of PostgreSQL, postgres://…');
}

function required(env: Environment, name: string, what: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new BridgeError('usage', `${name} is not set: ${what}`);
  return value;
}
