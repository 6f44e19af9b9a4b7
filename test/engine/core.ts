import type { ScriptedSource } from '../../channels/memory/inbound.ts';
import { memoryKind } from '../../channels/memory/kind.ts';
import { anAnswer, type ScriptedDestination, type Step } from '../../channels/memory/outbound.ts';
import { createDesk } from '../../engine/booking/desk.ts';
import type { Desk } from '../../engine/booking.ts';
import type { Answer, Parcel } from '../../engine/channel.ts';
import { compile } from '../../engine/config/compile.ts';
import { Engine } from '../../engine/engine.ts';
import { keyedDigest } from '../../engine/lane.ts';
import type { Plan } from '../../engine/plan.ts';
import { systemRandom } from '../../engine/random.ts';
import { MemoryStore, MemoryTables } from '../../engine/store/memory.ts';
import type { Store } from '../../engine/store.ts';
import type { EngineEvent } from '../../engine/telemetry.ts';
import { comesToHold, ManualClock } from '../support/clock.ts';
import { type Losable, losable } from '../support/losable-store.ts';

/** Dawy, one hospital, and the way back: everything in memory. */
const ROUTES = `version: 1
systems:
  dawy: {}
  riverside: { timeZone: Asia/Riyadh }
channels:
  dawy-in:
    system: dawy
    kind: memory
    read:
      as: json
      type: /type
      id: memory.id
      hospital: /hospital
      booking: /booking
      learn: { slotStart: /start }
  riverside-out:
    system: riverside
    kind: memory
    timeout: 5s
    maxInFlight: 2
    repeats: recognized
  dawy-out: { system: dawy, kind: memory, maxInFlight: 64, repeats: recognized }
routes:
  to-riverside:
    from: dawy-in
    when: { hospital: riverside }
    render:
      booking.requested: { template: ask.json.yaml }
      booking.reschedule-requested: { template: ask.json.yaml }
      booking.cancel-requested: { template: cancel.json.yaml }
    to: riverside-out
    answer:
      as: json
      learn: { hospitalRef: /id }
      becomes:
        - { when: { /status: MOVED }, event: booking.rescheduled }
        - { when: { /status: BOOKED }, event: booking.confirmed }
        - { when: { /status: CANCELLED }, event: booking.cancelled }
        - { when: { /status: NO }, event: booking.rejected }
    retry: { attempts: 3, first: 10s, max: 1m, for: 1h }
    onDead: block
  tell-dawy: { from: bookings, render: event.json.yaml, to: dawy-out }
  warn-dawy: { from: engine, render: event.json.yaml, to: dawy-out }
`;

const FILES: Readonly<Record<string, string>> = {
  'ask.json.yaml': 'booking: "{{message.booking}}"\nstart: "{{message.start}}"\nword: first plan\n',
  'cancel.json.yaml': 'booking: "{{message.booking}}"\ncancel: "{{booking.hospitalRef}}"\n',
  'find.json.yaml': 'find: "{{message.booking}}"\n',
  'event.json.yaml': 'type: "{{message.type}}"\nbody: "{{message}}"\n',
};

/** The channel asked first when a send is uncertain. */
export const PROBED = (routes: string): string =>
  routes.replace(
    'repeats: recognized\n  dawy-out',
    `repeats: probe
    probe:
      settleAfter: 30s
      render: { template: find.json.yaml }
      says:
        - { when: { /found: true }, verdict: taken }
        - { when: { /found: false }, verdict: absent }
  dawy-out`,
  );
export const UNSAFE = (routes: string): string =>
  routes.replace('repeats: recognized\n  dawy-out', 'repeats: unsafe\n  dawy-out');

/** The channel to the hospital belongs to another system: it is closed and opened anew. */
export const ELSEWHERE = (routes: string): string =>
  routes.replace('systems:', 'systems:\n  lakeside: {}').replace('system: riverside', 'system: lakeside');
/** The hospital bears one at a time. */
export const NARROW = (routes: string): string => routes.replace('maxInFlight: 2', 'maxInFlight: 1');

/** A yes of the hospital, or another status. */
export function says(status: string, signal = 'taken'): Answer {
  return anAnswer({ signals: [signal], body: Buffer.from(JSON.stringify({ status, id: 'R-1' })) });
}

/** The body of a parcel as it was rendered. */
export function bodyOf({ body }: Parcel): Record<string, string> {
  return JSON.parse(Buffer.from(body).toString()) as Record<string, string>;
}

export interface CoreOptions {
  readonly routes?: (text: string) => string;
  /** Files in the place of those of the network. */
  readonly files?: Readonly<Record<string, string>>;
  /** What the hospital does with one parcel; says yes when left out. */
  readonly hospital?: (parcel: Parcel, nth: number) => Step;
  readonly desk?: Desk;
  /** Another core: this one is one more engine over the same tables. */
  readonly beside?: Core;
}

/** An engine with a clock, a store and far sides that are the test's own. */
export class Core {
  readonly clock: ManualClock;
  readonly tables: MemoryTables;
  readonly losable: Losable;
  readonly events: EngineEvent[] = [];
  readonly engine: Engine;
  readonly #replies: Replies;
  readonly #kind: ReturnType<typeof memoryKind>;
  #sent = 0;

  constructor({
    routes = (text) => text,
    files = {},
    hospital = () => says('BOOKED'),
    desk = createDesk(),
    beside,
  }: CoreOptions = {}) {
    this.clock = beside?.clock ?? new ManualClock();
    this.tables = beside?.tables ?? new MemoryTables(this.clock, systemRandom);
    this.losable = losable(new MemoryStore(this.tables));
    this.#replies = repliesOf(this.losable.store);
    this.#kind = memoryKind({
      'riverside-out': (parcel) => {
        this.#sent += 1;
        return hospital(parcel, this.#sent);
      },
    });
    this.engine = new Engine({
      plan: this.planOf(routes, files),
      kinds: [this.#kind],
      store: this.#replies.store,
      desk,
      clock: this.clock,
      follow: () => undefined,
      random: { ...systemRandom, fraction: () => 0.5 },
      digest: keyedDigest('a secret of the tests'),
      telemetry: { emit: (event) => this.events.push(event) },
    });
  }

  /** Compiles the network, or one with other routes or files. */
  planOf(
    routes: (text: string) => string = (text) => text,
    files: Readonly<Record<string, string>> = {},
  ): Plan {
    const all: Readonly<Record<string, string>> = { ...FILES, ...files, 'routes.yaml': routes(ROUTES) };
    const source = { read: (path: string) => all[path] ?? null, list: () => Object.keys(all) };
    const compiled = compile({ ...source, env: {}, kinds: [this.#kind] });
    if (compiled.kind === 'problems') throw new TypeError(JSON.stringify(compiled.problems, null, 1));
    return compiled.plan;
  }

  get dawy(): ScriptedSource {
    return this.#kind.sources.get('dawy-in')!;
  }

  get hospital(): ScriptedDestination {
    return this.#kind.destinations.get('riverside-out')!;
  }

  /** Where Dawy listens. */
  get listener(): ScriptedDestination {
    return this.#kind.destinations.get('dawy-out')!;
  }

  /** How often the hospital was tried; what could not leave counts too. */
  get tried(): number {
    return this.#sent;
  }

  /** What was said of the breakers, in order. */
  get moves(): readonly string[] {
    return this.events.flatMap((event) => (event.kind === 'breaker-moved' ? [event.to] : []));
  }

  /** From now on the replies of a call of the store, which has done its work, do not come until what this returns is called. */
  holdReplies(call: keyof Store): () => void {
    return this.#replies.hold(call);
  }

  /** The types of what Dawy was told, in order. */
  get told(): readonly string[] {
    return (this.#kind.destinations.get('dawy-out')?.sent ?? []).map(({ type }) => type);
  }

  /** Dawy asks; resolves with what it is told once its word is kept. */
  ask(
    booking: string,
    type = 'booking.requested',
    id = `${type} of ${booking}`,
    start = '2026-12-02T08:00:00Z',
  ) {
    return this.dawy.deliver({ type, hospital: 'riverside', booking, start }, { 'memory.id': id });
  }

  /** The open deliveries to the hospital, in their order. */
  get open() {
    return this.tables.inOrder().filter(({ channel }) => channel === 'riverside-out');
  }

  /** How the ended deliveries to the hospital ended. */
  get ended(): readonly string[] {
    return [...this.tables.ended.values()]
      .filter(({ channel }) => channel === 'riverside-out')
      .map(({ endedAs }) => endedAs);
  }

  /** Resolves once nothing is queued or running any more and nothing waits for what could move. */
  async done(): Promise<void> {
    const moving = () => this.tables.inOrder().some(({ state }) => state === 'queued' || state === 'running');
    await comesToHold(() => !moving());
  }
}

interface Replies {
  readonly store: Store;
  readonly hold: (call: keyof Store) => () => void;
}

/** Puts a slow way back before a store: a call does what it does at once, and its reply may take long. */
function repliesOf(store: Store): Replies {
  const held = new Map<unknown, Promise<void>>();
  return {
    store: new Proxy(store, {
      get(target, name) {
        const call = Reflect.get(target, name) as (...given: unknown[]) => unknown;
        const way = held.get(name);
        if (way === undefined) return call;
        return async (...given: unknown[]) => {
          const reply = await call(...given);
          await way;
          return reply;
        };
      },
    }),
    hold(call) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(call, promise);
      return () => {
        held.delete(call);
        resolve();
      };
    },
  };
}
