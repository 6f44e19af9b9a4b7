import type { Desk } from '../../engine/booking.ts';
import { Engine } from '../../engine/engine.ts';
import { BridgeError } from '../../engine/errors.ts';
import type { Digest } from '../../engine/lane.ts';
import type { Plan } from '../../engine/plan.ts';
import type { Wiring } from '../canaries/canary.ts';
import { memoryDepths } from '../canaries/memory-depths.ts';
import type { Broker } from './broker.ts';
import type { Database } from './database.ts';
import type { Dawy } from './dawy.ts';
import { type Dice, diceOf } from './dice.ts';
import type { SimHospital } from './hospital.ts';
import { simKinds } from './kinds.ts';
import type { PlanName } from './plans.ts';
import { SimProcess, type Wall } from './process.ts';
import { BadStore } from './store.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';
import { Breach, type Watch } from './watch.ts';
import type { Weather } from './weather.ts';

/** What every process of a history shares. */
export interface Site {
  readonly seed: number;
  readonly timeline: Timeline;
  readonly weather: Weather;
  readonly watch: Watch;
  readonly trace: Trace;
  readonly database: Database;
  readonly broker: Broker;
  readonly dawy: Dawy;
  readonly hospital: (channel: string) => SimHospital;
  readonly desk: Desk;
  readonly digest: Digest;
  readonly plans: Readonly<Record<PlanName, Plan>>;
  readonly unknownForMs: number;
  readonly plant: (wiring: Wiring) => Wiring;
  /** Hears when a process begins a send. */
  readonly onSend: (host: Host) => void;
}

interface Running {
  readonly process: SimProcess;
  readonly store: BadStore;
  readonly engine: Engine;
  state: 'starting' | 'up' | 'stopping';
}

const HEARTBEATS_MS = 10_000;
const GONE_NOTICED_MS = [1, 50] as const;
/** How long the database holds a lock for a machine that went without a goodbye. */
const KEEPALIVE_MS = [20_000, 60_000] as const;
const RESTART_MS = [500, 3_000] as const;

/** One place where an engine runs: one process after another, on a machine with a wall clock of its own. */
export class Host {
  readonly name: string;
  readonly #site: Site;
  readonly #dice: Dice;
  readonly #wall: Wall;
  #plan: PlanName;
  #count = 0;
  #running: Running | null = null;
  #stoppedAt: number | null = null;

  constructor(name: string, plan: PlanName, wall: Wall, site: Site) {
    this.name = name;
    this.#plan = plan;
    this.#wall = wall;
    this.#site = site;
    this.#dice = diceOf(site.seed, name);
  }

  /** Up, or on its way there, and not frozen. */
  get isRunning(): boolean {
    return this.#running !== null && this.#running.state !== 'stopping' && !this.#running.process.isFrozen;
  }

  get isUp(): boolean {
    return this.#running?.state === 'up' && !this.#running.process.isFrozen;
  }

  get store(): BadStore | null {
    return this.#running?.store ?? null;
  }

  /** The plan in force here. */
  get plan(): Plan | null {
    return this.#running?.engine.plan ?? null;
  }

  /** When it began to stop, if it has not ended yet. */
  get stoppingSince(): number | null {
    return this.#running?.state === 'stopping' ? this.#stoppedAt : null;
  }

  start(): void {
    if (this.#running !== null) return;
    const running = this.#make();
    this.#running = running;
    this.#said(running, 'starts');
    running.engine.start().then(
      () => {
        if (running.state === 'starting') running.state = 'up';
        this.#said(running, 'is up');
      },
      (thrown: unknown) => this.#failed(running, thrown),
    );
  }

  kill({ startsAfter }: { readonly startsAfter: number }): void {
    this.#die('process killed', false, GONE_NOTICED_MS, startsAfter);
  }

  losePower({ startsAfter }: { readonly startsAfter: number }): void {
    this.#die('machine lost', true, KEEPALIVE_MS, startsAfter);
  }

  freeze(ms: number): void {
    const { weather, timeline, broker } = this.#site;
    const running = this.#running;
    if (running === null || running.process.isFrozen) return;
    weather.saw(ms < 10_000 ? 'frozen shortly' : 'frozen long');
    this.#said(running, 'freezes');
    running.process.freeze();
    timeline.after(HEARTBEATS_MS, () => {
      if (running.process.isFrozen) broker.close(running.process);
    });
    timeline.after(ms, () => running.process.wake());
  }

  /** The whole site was asleep for so long. */
  sleptFor(ms: number): void {
    this.#wall.offMs += ms;
    this.#running?.process.sleptFor(ms);
    if (this.#running !== null) this.#site.broker.close(this.#running.process);
  }

  wake(): void {
    const running = this.#running;
    if (running?.process.isFrozen !== true) return;
    this.#said(running, 'wakes');
    running.process.wake();
  }

  stop({ startsAfter }: { readonly startsAfter: number }): void {
    const running = this.#running;
    if (running === null || running.state !== 'up') return;
    this.#site.weather.saw('stopped in order');
    this.#said(running, 'stops');
    running.state = 'stopping';
    this.#stoppedAt = this.#site.timeline.now;
    this.#end(running, startsAfter);
  }

  /** Puts another plan in force here, as a change of the files would. */
  activate(plan: PlanName): void {
    const { weather, plans, timeline } = this.#site;
    this.#plan = plan;
    const running = this.#running;
    // As the bridge does it: files are looked at only once the engine is up.
    if (running?.state !== 'up') return;
    running.engine.activate(plans[plan]).then(
      () => {
        weather.saw('plan changed');
        this.#said(running, `runs the plan: ${plan}`);
      },
      (thrown: unknown) => {
        if (!isExpected(thrown)) timeline.fail(asDefect('a plan could not be put in force', thrown));
      },
    );
  }

  jump(ms: number): void {
    this.#site.weather.saw('wall clock jumps');
    this.#wall.offMs += ms;
  }

  #make(): Running {
    const {
      timeline,
      database,
      weather,
      watch,
      trace,
      broker,
      dawy,
      hospital,
      unknownForMs,
      desk,
      digest,
      plans,
    } = this.#site;
    this.#count += 1;
    const name = `${this.name}.${this.#count}`;
    const process = new SimProcess(name, timeline, this.#wall);
    // Opening the real store does so, and refuses a machine whose clock is far off.
    process.follow(database.tables.clock.now());
    const dice = diceOf(this.#site.seed, name);
    const telemetry = {
      emit: (event: Parameters<Watch['heard']>[1]) => {
        watch.heard(name, event);
        trace.add(name, event.kind);
      },
    };
    const store = new BadStore({
      process,
      timeline,
      database,
      weather,
      watch,
      dice,
      telemetry,
      unknownForMs,
    });
    const onSend = () => this.#site.onSend(this);
    const sender = {
      name,
      get isDead() {
        return process.isDead;
      },
      get me() {
        return store.me;
      },
      get isBlind() {
        return store.isBlind;
      },
    };
    const planted = this.#site.plant({
      store,
      kinds: simKinds({
        process,
        sender,
        timeline,
        weather,
        dice,
        watch,
        trace,
        broker,
        dawy,
        hospital,
        onSend,
      }),
      random: dice.random,
      depths: memoryDepths(database.tables),
    });
    const engine = new Engine({
      plan: plans[this.#plan],
      kinds: planted.kinds,
      store: planted.store,
      desk,
      clock: process,
      follow: (time) => process.follow(time),
      random: planted.random,
      digest,
      telemetry,
    });
    return { process, store, engine, state: 'starting' };
  }

  #die(
    how: 'process killed' | 'machine lost',
    silently: boolean,
    noticed: readonly [number, number],
    after: number,
  ): void {
    const running = this.#running;
    if (running === null) return;
    this.#site.weather.saw(how);
    this.#said(running, how);
    running.store.buried(this.#dice.between(noticed));
    running.process.die(silently);
    this.#running = null;
    this.#startAfter(after);
  }

  /** As the bridge does when it cannot start: it ends, and whoever runs it starts it again. */
  #failed(running: Running, thrown: unknown): void {
    if (!isExpected(thrown)) this.#site.timeline.fail(asDefect('a start failed', thrown));
    this.#site.weather.saw('start failed');
    running.state = 'stopping';
    this.#stoppedAt = this.#site.timeline.now;
    this.#end(running, this.#dice.between(RESTART_MS));
  }

  #end(running: Running, startsAfter: number): void {
    const stop = async () => {
      try {
        await running.engine.stop();
      } catch (thrown) {
        if (!isExpected(thrown)) this.#site.timeline.fail(asDefect('a stop failed', thrown));
      }
      await running.store.close();
      this.#ended(running, startsAfter);
    };
    void stop();
  }

  #ended(running: Running, startsAfter: number): void {
    if (this.#running !== running) return;
    this.#said(running, 'has ended');
    running.store.buried(0);
    running.process.die();
    this.#running = null;
    this.#startAfter(startsAfter);
  }

  #startAfter(ms: number): void {
    this.#site.timeline.after(ms, () => this.start());
  }

  #said({ process }: Running, what: string): void {
    this.#site.trace.add(process.name, what);
  }
}

function isExpected(thrown: unknown): boolean {
  return (
    thrown instanceof BridgeError && (thrown.code === 'store-unavailable' || thrown.code === 'not-allowed')
  );
}

function asDefect(what: string, thrown: unknown): Breach {
  return new Breach(
    'a defect',
    `${what}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : thrown}`,
  );
}
