import type { Desk } from '../../engine/booking.ts';
import { Engine } from '../../engine/engine.ts';
import type { Digest } from '../../engine/lane.ts';
import type { Plan } from '../../engine/plan.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';
import type { Wiring } from '../canaries/canary.ts';
import { memoryDepths } from '../canaries/memory-depths.ts';
import type { Broker } from './broker.ts';
import type { Database } from './database.ts';
import type { Dawy } from './dawy.ts';
import { diceOf } from './dice.ts';
import type { SimHospital } from './hospital.ts';
import { simKinds } from './kinds.ts';
import type { PlanName } from './plans.ts';
import { SimProcess, type Wall } from './process.ts';
import { BadStore } from './store.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';
import type { Sender, Watch } from './watch.ts';
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
}

/** One process with its engine. */
export interface Running {
  readonly process: SimProcess;
  readonly store: BadStore;
  readonly engine: Engine;
}

export interface ProcessOptions {
  readonly name: string;
  readonly plan: PlanName;
  readonly wall: Wall;
  /** Hears when the process begins a send. */
  readonly onSend: () => void;
}

/** Wires a process as engine/bridge.ts does, in a simulated world. Nothing of it has begun. */
export function wire(site: Site, { name, plan, wall, onSend }: ProcessOptions): Running {
  const { seed, timeline, database, weather, watch, trace, broker, dawy, hospital, unknownForMs } = site;
  const process = new SimProcess(name, timeline, wall);
  // Opening the real store does so, and refuses a machine whose clock is far off.
  process.follow(database.tables.clock.now());
  const dice = diceOf(seed, name);
  const telemetry = {
    emit(event: EngineEvent) {
      watch.heard(name, event);
      trace.add(name, event.kind);
    },
  };
  const around = { process, timeline, weather, watch, dice };
  const store = new BadStore({ ...around, database, telemetry, unknownForMs });
  const sender = senderOf(process, store);
  const planted = site.plant({
    store,
    kinds: simKinds({ ...around, sender, trace, broker, dawy, hospital, onSend }),
    random: dice.random,
    depths: memoryDepths(database.tables),
  });
  const engine = new Engine({
    plan: site.plans[plan],
    kinds: planted.kinds,
    store: planted.store,
    desk: site.desk,
    clock: process,
    follow: (time) => process.follow(time),
    random: planted.random,
    digest: site.digest,
    telemetry,
  });
  return { process, store, engine };
}

function senderOf(process: SimProcess, store: BadStore): Sender {
  return {
    name: process.name,
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
}
