// An engine wired as engine/bridge.ts wires it, but for one thing: CANARY plants a mistake and `--without` takes a protection
// away, which the tests must then find; `--clock-off` gives it a clock that is wrong and that nothing corrects; `--hour-lasts` (milliseconds)
// shortens what it sleeps for an hour and longer, so that what is done every hour is done while a test looks.
import { parseArgs } from 'node:util';
import { channelKinds } from '../../channels/index.ts';
import { createDesk } from '../../engine/booking/desk.ts';
import { loadPlan, openStore, problemsOf } from '../../engine/bridge.ts';
import { SystemClock } from '../../engine/clock.ts';
import { Engine } from '../../engine/engine.ts';
import { BridgeError } from '../../engine/errors.ts';
import { systemRandom } from '../../engine/random.ts';
import type { Consequences, Store } from '../../engine/store.ts';
import { Log } from '../../engine/telemetry/log.ts';
import { CANARIES, canaryOf, type Wiring } from '../canaries/canary.ts';
import { postgresDepths } from '../canaries/postgres-depths.ts';

const { values } = parseArgs({
  options: {
    config: { type: 'string', short: 'c', default: '.' },
    without: { type: 'string' },
    'clock-off': { type: 'string', default: '0' },
    'hour-lasts': { type: 'string' },
    'log-level': { type: 'string', default: 'warn' },
  },
});

const HOUR_MS = 3_600_000;

/** A clock that is off and stays off, whatever the database says. */
class WrongClock extends SystemClock {
  readonly #offMs: number;

  constructor(offMs: number) {
    super();
    this.#offMs = offMs;
  }

  override follow(): void {
    // Nothing corrects it.
  }

  override now(): Date {
    return new Date(Date.now() + this.#offMs);
  }
}

/** A clock on which an hour of sleep is over soon. */
class HurriedClock extends SystemClock {
  readonly #hourMs: number;

  constructor(hourMs: number) {
    super();
    this.#hourMs = hourMs;
  }

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return super.sleep(ms >= HOUR_MS ? this.#hourMs : ms, signal);
  }
}

function clockOf(): SystemClock {
  const { 'clock-off': offMs, 'hour-lasts': hourMs } = values;
  if (hourMs !== undefined) return new HurriedClock(Number(hourMs));
  return offMs === '0' ? new SystemClock() : new WrongClock(Number(offMs));
}

/** Protections that can be taken away beside the canaries, and how. */
const WITHOUT: Readonly<Record<string, (store: Store) => Store>> = {
  'no-lane-lock': (store) =>
    over(store, {
      keep: (batch, decide) => store.keep(batch, (keeping, booking) => laneless(decide(keeping, booking))),
      settle: (batch, decide) =>
        store.settle(batch, (settlement, booking) => laneless(decide(settlement, booking))),
    }),
  'no-write-ahead': (store) =>
    over(store, { writeEditions: (batch) => Promise.resolve(batch.map(() => true)) }),
};

/** The store, with some of its methods replaced. */
function over(store: Store, replaced: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const found: unknown = Reflect.get(name in replaced ? replaced : target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
}

function laneless({ messages, step }: Consequences): Consequences {
  const without = messages.map((message) => ({
    ...message,
    deliveries: message.deliveries.map((delivery) => ({ ...delivery, lane: null })),
  }));
  return { messages: without, step };
}

const telemetry = new Log(values['log-level'] as 'warn' | 'debug', (line) => void process.stdout.write(line));
const loaded = loadPlan(values.config, process.env);
if (loaded.compiled.kind === 'problems') {
  throw new BridgeError('config-invalid', problemsOf(loaded).join('\n'));
}
const canary = canaryOf(process.env);
const depths = postgresDepths(process.env['DATABASE_URL'] ?? '');
// Beneath the store: what it prepares with its connections is changed before it has any.
if (canary === 'lane-by-id') depths.laneById();
const { store, digest, clock } = await openStore(process.env, telemetry, {
  clock: clockOf(),
  begins: true,
});
const without = values.without === undefined ? undefined : WITHOUT[values.without];
if (values.without !== undefined && without === undefined) {
  throw new BridgeError('usage', `--without is one of ${Object.keys(WITHOUT).join(', ')}`);
}
const sound: Wiring = {
  store: without?.(store) ?? store,
  kinds: channelKinds,
  random: systemRandom,
  depths: { ...depths, laneById: () => undefined },
};
const engine = new Engine({
  ...(canary === null ? sound : CANARIES[canary].plant(sound)),
  plan: loaded.compiled.plan,
  desk: createDesk(),
  clock,
  follow: (time) => clock.follow(time),
  digest,
  telemetry,
});
await engine.start();
process.stdout.write(`${JSON.stringify({ event: 'ready' })}\n`);
await new Promise((resolve) => {
  process.once('SIGTERM', resolve);
});
await engine.stop();
await store.close();
