import { createDesk } from '../../engine/booking/desk.ts';
import type { Digest } from '../../engine/lane.ts';
import { keyedDigest } from '../../engine/lane.ts';
import type { Plan } from '../../engine/plan.ts';
import { CANARIES, type CanaryName } from '../canaries/canary.ts';
import { Broker } from './broker.ts';
import { Database } from './database.ts';
import { Dawy } from './dawy.ts';
import { type Dice, diceOf } from './dice.ts';
import { SimHospital } from './hospital.ts';
import { Host } from './host.ts';
import { simKinds } from './kinds.ts';
import { PLAN_NAMES, type PlanName, plansFor } from './plans.ts';
import { Timeline } from './timeline.ts';
import { Trace } from './trace.ts';
import { Watch } from './watch.ts';
import { Weather } from './weather.ts';
import type { Site } from './wiring.ts';

/** When every history begins. */
const EPOCH_MS = Date.parse('2026-11-02T08:00:00Z');
const MOST_HOSTS = 3;
/** How far a machine's wall clock may be off from the beginning. */
const SKEW_MS = [-20_000, 20_000] as const;

const DESK = createDesk();
const DIGEST = remembering(keyedDigest('a secret of the simulator'));
const PLANS: Readonly<Record<PlanName, Plan>> = plansFor(simKinds({} as Parameters<typeof simKinds>[0]));

export interface WorldOptions {
  readonly hosts: readonly PlanName[];
  readonly unknownForMs: number;
  readonly canary: CanaryName | null;
}

/** Everything of one history: its time, its chance, and all parties. */
export class World {
  readonly timeline = new Timeline();
  readonly trace = new Trace(this.timeline);
  readonly weather: Weather;
  readonly database: Database;
  readonly broker: Broker;
  readonly dawy: Dawy;
  readonly hospitals: Readonly<Record<'alnoor' | 'stmary' | 'lakeside', SimHospital>>;
  readonly watch: Watch;
  readonly digest = DIGEST;
  readonly planNames = PLAN_NAMES;
  readonly #hosts: Host[] = [];
  readonly #ambushes: { readonly strike: (host: Host) => void; readonly laterMs: number }[] = [];
  readonly #site: Site;
  readonly #seed: number;

  constructor(seed: number, { hosts, unknownForMs, canary }: WorldOptions) {
    this.#seed = seed;
    const { timeline, trace } = this;
    this.weather = new Weather(timeline, diceOf(seed, 'weather'));
    const { weather } = this;
    this.database = new Database({ timeline, weather, epochMs: EPOCH_MS }, diceOf(seed, 'database'));
    this.broker = new Broker(timeline, weather);
    this.dawy = new Dawy(this.broker, trace);
    const hospital = (name: string, repeats: ConstructorParameters<typeof SimHospital>[1]) =>
      new SimHospital(name, repeats, { timeline, weather, trace, dice: diceOf(seed, name) });
    this.hospitals = {
      alnoor: hospital('alnoor', 'recognized'),
      stmary: hospital('stmary', 'probe'),
      lakeside: hospital('lakeside', 'unsafe'),
    };
    this.watch = new Watch({
      tables: this.database.tables,
      desk: DESK,
      bears: (channel) => {
        // What began by a plan ends by it, so that every plan there was counts.
        const plans = this.#hosts.flatMap(({ plansHad }) => [...plansHad]);
        const borne = plans.map(({ outbound }) => outbound.get(channel as never)?.maxInFlight ?? 0);
        return Math.max(0, ...borne);
      },
      onBreach: (breach) => timeline.fail(breach),
    });
    this.#site = {
      seed,
      timeline,
      weather,
      trace,
      unknownForMs,
      watch: this.watch,
      database: this.database,
      broker: this.broker,
      dawy: this.dawy,
      hospital: (channel) => this.hospitals[channel.replace('-out', '') as keyof typeof this.hospitals],
      desk: DESK,
      digest: DIGEST,
      plans: PLANS,
      plant: canary === null ? (wiring) => wiring : (wiring) => CANARIES[canary].plant(wiring),
    };
    for (const plan of hosts) this.#add(plan);
  }

  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /** Everything up and running. */
  get isWhole(): boolean {
    return this.#hosts.every(({ isUp, plan }) => isUp && plan === PLANS.usual);
  }

  /** Some host whose process runs; null when there is none. */
  anyHost(dice: Dice): Host | null {
    const running = this.#hosts.filter(({ isRunning }) => isRunning);
    return running.length === 0 ? null : dice.pick(running);
  }

  /** Strikes whoever begins the next send, so long after it began. */
  ambush(strike: (host: Host) => void, laterMs: number): void {
    this.#ambushes.push({ strike, laterMs });
  }

  /** One more process, while there is room for it. */
  addHost(dice: Dice): void {
    if (this.#hosts.length >= MOST_HOSTS) return;
    this.weather.saw('another started');
    this.#add(dice.pick(PLAN_NAMES));
  }

  /** All machines stood still together for so long, and go on. */
  sleep(ms: number): void {
    this.weather.saw('site asleep');
    this.database.sleptFor(ms);
    for (const hospital of Object.values(this.hospitals)) hospital.othersSlept();
    for (const host of this.#hosts) host.sleptFor(ms);
  }

  /** From now on nothing goes wrong any more, and all run one plan. */
  heal(): void {
    this.weather.clear();
    this.#ambushes.length = 0;
    this.trace.add('world', 'heals');
    for (const host of this.#hosts) {
      host.store?.heal();
      host.wake();
      host.start();
    }
    this.#agree();
  }

  #onSend(host: Host): void {
    const ambush = this.#ambushes.shift();
    if (ambush !== undefined) this.timeline.after(ambush.laterMs, () => ambush.strike(host));
  }

  /** As often as it takes: a plan that could not be put in force is tried again. */
  #agree(): void {
    for (const host of this.#hosts)
      if (host.plan !== null && host.plan !== PLANS.usual) host.activate('usual');
    this.timeline.after(5_000, () => this.#agree());
  }

  #add(plan: PlanName): void {
    const name = `e${this.#hosts.length + 1}`;
    const dice = diceOf(this.#seed, `wall ${name}`);
    const wall = { epochMs: EPOCH_MS, offMs: dice.between(SKEW_MS) };
    const host = new Host({ name, plan, wall }, this.#site, (sender) => this.#onSend(sender));
    this.#hosts.push(host);
    host.start();
  }
}

/** The same digests, made once: histories use the same names over and over. */
function remembering({ lane, dedupe, search }: Digest): Digest {
  const lanes = new Map<string, Buffer>();
  const ids = new Map<string, Buffer>();
  const known = (made: Map<string, Buffer>, name: string, make: () => Buffer): Buffer => {
    const found = made.get(name) ?? make();
    made.set(name, found);
    return found;
  };
  return {
    lane: (key) => known(lanes, key, () => lane(key)),
    dedupe: (channel, id) => known(ids, `${channel}\0${id}`, () => dedupe(channel, id)),
    search,
  };
}
