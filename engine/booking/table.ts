import { type StateValue, transition } from 'xstate';
import type { Booking } from '../booking.ts';
import { BridgeError } from '../errors.ts';
import { DELAYS, type Effect, FOR_GOOD, machine, READINGS, REPORTS, REQUESTS, type Word } from './machine.ts';

/** A state of ours with what stands beneath it, uppermost first: `['cancel-requested', 'confirmed']`. */
export type Path = readonly [string, ...string[]];

/** One step of the machine: where it leads and what it does. */
export interface Move {
  readonly to: Path;
  readonly effects: readonly Effect[];
  /** Milliseconds until the deadline that starts, null when none runs any more, or the one that runs stays. */
  readonly deadline: number | null | 'stays';
}

/** What can be heard in one place of the machine. What is not there is illegal, or contradicts. */
export interface Place {
  readonly path: Path;
  /** Milliseconds this state waits for an answer, or null. */
  readonly patience: number | null;
  readonly heard: ReadonlyMap<Word, Move>;
  /** What the passing of its deadline does; null when it has none. */
  readonly timer: Move | null;
}

export const WORDS: readonly Word[] = [...REQUESTS, ...REPORTS, ...READINGS];

/** Every place of the machine by its path, read from it once with the pure `transition()`. No actor ever runs. */
export const TABLE: ReadonlyMap<string, Place> = new Map(
  leaves(machine.root).map((path) => [path.join('/'), placeOf(path)]),
);

/** The words a booking's state may have. */
export const STATES: readonly string[] = [...new Set([...TABLE.values()].map(({ path }) => path[0]))];

/** Where a new booking begins. */
export const FIRST: Path = ['requested'];

/** The path a booking stands at. */
export function pathOf(booking: Booking): Path {
  return [booking.state, ...(booking.context.beneath ?? []).map(({ state }) => state)];
}

/** The place at a path. Throws `store-outdated` for one that this machine does not have. */
export function placeAt(path: Path): Place {
  const place = TABLE.get(path.join('/'));
  if (place !== undefined) return place;
  throw new BridgeError(
    'store-outdated',
    `a booking is ${path.join(' over ')}, which this version does not know`,
  );
}

/** What the machine itself does with one event in the place at a path, or null when it does not handle it. */
export function ask(path: Path, type: string): Move | null {
  const before = machine.resolveState({ value: snapshotValue(path) });
  const [after, actions] = transition(machine, before, { type } as { type: Word });
  // A handled event always names an effect; an unhandled one gives none.
  if (actions.length === 0) return null;
  const to = ours(namesIn(after.value));
  return {
    to,
    effects: actions.map((action) => action.type).filter((name) => !name.startsWith('xstate.')) as Effect[],
    deadline: deadlineIn(actions, to),
  };
}

/** The event by which the machine hears that the deadline of a place has passed, or null when it has none. */
export function timerOf(path: Path): { readonly event: string; readonly delay: keyof typeof DELAYS } | null {
  // Only a state itself waits, never what stands beneath it.
  const timer = machine.states[path[0] as keyof typeof machine.states]?.after[0];
  if (timer === undefined) return null;
  return { event: timer.eventType, delay: timer.delay as keyof typeof DELAYS };
}

function deadlineIn(actions: readonly { readonly type: string }[], to: Path): Move['deadline'] {
  if (actions.some(({ type }) => type === 'xstate.raise')) return patienceOf(to);
  return actions.some(({ type }) => type === 'xstate.cancel') ? null : 'stays';
}

function patienceOf(path: Path): number | null {
  const timer = timerOf(path);
  return timer === null ? null : DELAYS[timer.delay];
}

function placeOf(path: Path): Place {
  const heard = new Map<Word, Move>();
  for (const word of WORDS) {
    const move = ask(path, word);
    if (move !== null) heard.set(word, move);
  }
  const timer = timerOf(path);
  return { path, patience: patienceOf(path), heard, timer: timer === null ? null : ask(path, timer.event) };
}

type Node = { readonly path: readonly string[]; readonly states: Readonly<Record<string, Node>> };

function leaves(node: Node): readonly Path[] {
  const below = Object.values(node.states);
  return below.length === 0 ? [ours(node.path)] : below.flatMap(leaves);
}

function ours(path: readonly string[]): Path {
  const [state = '', ...beneath] = path.filter((name) => name !== FOR_GOOD);
  return [state, ...beneath];
}

function namesIn(value: StateValue): readonly string[] {
  if (typeof value === 'string') return [value];
  return Object.entries(value).flatMap(([state, below]) => [
    state,
    ...(below === undefined ? [] : namesIn(below)),
  ]);
}

function snapshotValue(path: Path): StateValue {
  const full = path.join('/') === 'cancelled' ? [...path, FOR_GOOD] : path;
  return full
    .toReversed()
    .reduce<StateValue>((below, state) => (below === '' ? state : { [state]: below }), '');
}
