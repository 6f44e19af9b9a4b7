import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { sentence } from '../crash/checker.ts';
import type { Findings, Named } from '../crash/evidence.ts';
import { type Chance, chance } from '../crash/random.ts';
import type { WorldOptions } from '../support/world.ts';
import type { Stopped } from '../support/world-database.ts';
import type { LogLine } from '../support/world-engine.ts';
import { Place } from './place.ts';

/** One line of the reliability matrix: a fault, what must come of it, and how it is brought about. */
export interface Cell {
  readonly id: string;
  readonly fault: string;
  /** What must be so besides that nothing is lost, doubled, out of order, invented or falsely told. */
  readonly expects: string;
  /** Over within some ten seconds: runs with every deep run of the tests. */
  readonly cheap: boolean;
  readonly run: (trial: Trial) => Promise<void>;
}

/** What came of a cell. */
export interface Row {
  readonly id: string;
  readonly messages: number;
  readonly faults: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly orderBreaks: number;
  readonly unknown: number;
  readonly falselyTold: number;
  readonly seconds: number;
  /** What was measured, in words. */
  readonly figures: readonly string[];
  /** Why it failed; null when it passed. */
  readonly failure: string | null;
}

/** What may be so at a judgement beside what must. */
export interface Allowed {
  /** What stands before a person and is meant to. */
  readonly stopped?: (delivery: Stopped) => boolean;
  /** Defects that were planted. */
  readonly defects?: RegExp;
  /** What a person settled: Dawy need not have heard of it. */
  readonly settled?: readonly Named[];
  /** How many deadlocks the cell brought about itself. */
  readonly deadlocks?: number;
}

/** The parts of the findings that must be empty. */
const VIOLATIONS = ['lost', 'duplicateEffects', 'orderBreaks', 'unknown', 'falselyTold'] as const;

/** Whether times are judged, which says something on a machine that has nothing else to do, or only told. */
export type Bars = 'judged' | 'told';

/** What a condition of a cell waits for at most: longer, and it never comes. */
const PATIENCE_MS = 60_000;

/** One run of one cell: opens places, counts faults, judges, and remembers the figures. */
export class Trial {
  readonly id: string;
  readonly chance: Chance;
  readonly figures: string[] = [];
  /** How many faults were really brought about. */
  faults = 0;
  readonly #bars: Bars;
  readonly #places: Place[] = [];
  readonly #closing: (() => Promise<unknown>)[] = [];
  #found = { messages: 0, lost: 0, duplicateEffects: 0, orderBreaks: 0, unknown: 0, falselyTold: 0 };

  constructor(id: string, seed: number, bars: Bars) {
    this.id = id;
    this.#bars = bars;
    // Each cell has a chance of its own, so that it can be had again alone.
    this.chance = chance([...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, seed));
  }

  /** Opens a place that is closed with the trial. */
  async open(options: WorldOptions = {}): Promise<Place> {
    const place = await Place.open(options);
    this.#places.push(place);
    return place;
  }

  /** Remembers something to do when the trial is over. */
  after(close: () => Promise<unknown>): void {
    this.#closing.push(close);
  }

  figure(words: string): void {
    this.figures.push(words);
  }

  /** Remembers how long something took. Throws when it took longer than it may, where times are judged. */
  took(what: string, ms: number, limitMs: number): void {
    this.figure(`${what}: ${ms.toFixed(0)} ms`);
    if (this.#bars === 'judged')
      prove(ms <= limitMs, `${what}: ${ms.toFixed(0)} ms, more than ${limitMs} ms`);
  }

  /**
   * Judges a place that is quiet. Throws when anything was lost, done twice, out of order, invented or falsely told,
   * when the ledger differs, when the database met a deadlock, when an engine found a defect, when something stands
   * still that is not meant to. `since` leaves out what was published and logged before.
   */
  async judge(place: Place, allowed: Allowed = {}, since: Since = NOTHING): Promise<Findings> {
    const { world } = place;
    const found = await world.check(allowed.settled ?? []);
    this.#found.messages += found.summary.published - since.published;
    for (const kind of VIOLATIONS) this.#found[kind] += found[kind].length;
    const worst = VIOLATIONS.flatMap((kind) => found[kind].slice(0, 2));
    if (worst.length > 0) throw new Unproven(`${sentence(found)}: ${JSON.stringify(worst)}`);
    const defects = world
      .logged('defect')
      .slice(since.defects)
      .filter(({ detail }) => !(allowed.defects?.test(String(detail)) ?? false));
    expectNone('defects', defects);
    const deadlocks = (await world.database.deadlocks()) - since.deadlocks;
    if (deadlocks > (allowed.deadlocks ?? 0)) throw new Unproven(`${deadlocks} deadlocks`);
    const differences = await world.database.ledgerDifferences();
    if (differences > 0) throw new Unproven(`the ledger differs for ${differences} messages`);
    const stopped = await world.database.stopped();
    expectNone(
      'deliveries that stand before a person',
      stopped.filter((one) => !(allowed.stopped?.(one) ?? false)),
    );
    return found;
  }

  /** The row of this trial so far. */
  row(seconds: number, failure: string | null): Row {
    const { messages, lost, duplicateEffects: duplicates, orderBreaks, unknown, falselyTold } = this.#found;
    const { id, faults, figures } = this;
    return {
      id,
      messages,
      faults,
      lost,
      duplicates,
      orderBreaks,
      unknown,
      falselyTold,
      seconds,
      figures,
      failure,
    };
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
    for (const place of this.#places.splice(0)) await place.close();
  }
}

/** Where a place stood when a cell began: what came before is not this cell's. */
export interface Since {
  readonly published: number;
  readonly defects: number;
  readonly deadlocks: number;
}

const NOTHING: Since = { published: 0, defects: 0, deadlocks: 0 };

/** Where a place stands now. */
export async function standing({ world }: Place): Promise<Since> {
  return {
    published: new Set(world.dawy.published.map(({ messageId }) => messageId)).size,
    defects: world.logged('defect').length,
    deadlocks: await world.database.deadlocks(),
  };
}

/** What was to be shown is not so. */
export class Unproven extends Error {
  override readonly name = 'Unproven';
}

/** Throws in words unless it is so. */
export function prove(so: boolean, words: string): asserts so {
  if (!so) throw new Unproven(words);
}

function expectNone(what: string, list: readonly unknown[]): void {
  prove(list.length === 0, `${list.length} ${what}: ${JSON.stringify(list.slice(0, 2))}`);
}

/** Resolves once it is so. Throws in words when that does not come about. */
export async function come(
  what: string,
  so: () => boolean | Promise<boolean>,
  withinMs = PATIENCE_MS,
): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await so())) {
    prove(performance.now() < until, `never came: ${what}`);
    await delay(15);
  }
}

/** Resolves as `promise` does. Throws in words when that takes too long. */
export async function within<T>(what: string, promise: Promise<T>, withinMs = PATIENCE_MS): Promise<T> {
  const over = new AbortController();
  const late = delay(withinMs, null, { signal: over.signal }).then(
    () => {
      throw new Unproven(`never came: ${what}`);
    },
    () => promise,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}

/** The lines of one event among those an engine wrote. */
export function said(lines: readonly LogLine[], event: string): readonly LogLine[] {
  return lines.filter((line) => line.event === event);
}

/** Runs one cell to its row. Never rejects: what goes wrong is in the row. */
export async function runCell(
  cell: Pick<Cell, 'id' | 'run'>,
  seed: number,
  bars: Bars = 'judged',
): Promise<Row> {
  const trial = new Trial(cell.id, seed, bars);
  const began = performance.now();
  let failure: string | null = null;
  try {
    await cell.run(trial);
    if (trial.faults === 0) failure = 'no fault was brought about: this proves nothing';
  } catch (thrown) {
    failure = wordsOf(thrown);
  }
  const seconds = (performance.now() - began) / 1_000;
  try {
    await trial.close();
  } catch (thrown) {
    failure ??= `could not be closed: ${wordsOf(thrown)}`;
  }
  return trial.row(seconds, failure);
}

function wordsOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown instanceof Unproven ? thrown.message : `${thrown.stack ?? thrown.message}`;
}

/** Something that goes on beside the cell. When the cell fails before it is waited for, its own end is nobody's business. */
export function meanwhile<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}
