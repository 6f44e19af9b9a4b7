import { BridgeError } from '../../engine/errors.ts';
import type { Plan } from '../../engine/plan.ts';
import { type Dice, diceOf } from './dice.ts';
import type { PlanName } from './plans.ts';
import type { Wall } from './process.ts';
import type { BadStore } from './store.ts';
import { Breach } from './watch.ts';
import { type Running, type Site, wire } from './wiring.ts';

type State = 'starting' | 'up' | 'stopping';

const HEARTBEATS_MS = 10_000;
const GONE_NOTICED_MS = [1, 50] as const;
/** How long the database holds a lock for a machine that went without a goodbye. */
const KEEPALIVE_MS = [20_000, 60_000] as const;
const RESTART_MS = [500, 3_000] as const;

/** One place where an engine runs: one process after another, on a machine with a wall clock of its own. */
export class Host {
  readonly name: string;
  /** Every plan that was in force here. */
  readonly plansHad = new Set<Plan>();
  readonly #site: Site;
  readonly #dice: Dice;
  readonly #wall: Wall;
  readonly #onSend: () => void;
  #plan: PlanName;
  #count = 0;
  #running: (Running & { state: State }) | null = null;
  #stoppedAt: number | null = null;

  constructor(
    { name, plan, wall }: { readonly name: string; readonly plan: PlanName; readonly wall: Wall },
    site: Site,
    onSend: (host: Host) => void,
  ) {
    this.name = name;
    this.#plan = plan;
    this.plansHad.add(site.plans[plan]);
    this.#wall = wall;
    this.#site = site;
    this.#onSend = () => onSend(this);
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
    this.#count += 1;
    const name = `${this.name}.${this.#count}`;
    const wired = wire(this.#site, { name, plan: this.#plan, wall: this.#wall, onSend: this.#onSend });
    const running = { ...wired, state: 'starting' as State };
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
    this.plansHad.add(this.#site.plans[plan]);
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
  #failed(running: Running & { state: State }, thrown: unknown): void {
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
