import type { Publication } from './dawy.ts';
import { type Dice, diceOf } from './dice.ts';
import {
  BLOWS,
  type BlowName,
  ODDITIES,
  type OddityName,
  placesOf,
  SPELLS,
  type SpellName,
} from './disturbances.ts';
import type { Host } from './host.ts';
import { PLAN_NAMES, type PlanName } from './plans.ts';
import type { World } from './world.ts';

/** One thing that was planned for a history, with its instant. */
export interface Act {
  readonly at: number;
  readonly says: string;
  readonly run: (world: World) => void;
}

/** A history as it is planned: everything that is done to the engines, drawn up front from the seed. */
export interface Scenario {
  readonly hosts: readonly PlanName[];
  readonly unknownForMs: number;
  readonly acts: readonly Act[];
}

const SPAN_MS = [12_000, 35_000] as const;
const BOOKINGS = [6, 16] as const;
const DISTURBANCES = [6, 20] as const;
const HALF_HOUR_MS = 1_800_000;
const FIRST_SLOT_MS = Date.parse('2027-03-01T08:00:00Z');
const HOSPITALS = ['alnoor', 'stmary', 'lakeside'] as const;
/** Now and then it is the same few slots that everybody wants. */
const CONTENDED = 0.2;
/** So many blows wait for the moment at which they hurt. */
const AMBUSHED = 0.5;
/** What makes a send take long, so that something can happen meanwhile. */
const SLOW = ['connecting slow', 'hospital slow', 'store slow'] as const satisfies readonly SpellName[];
const SLOW_MOMENT = { ms: 6_000, rate: 0.7 };
const AROUND_MS = [-1_000, 400] as const;
const SPELL_NAMES = Object.keys(SPELLS) as readonly SpellName[];
const BLOW_NAMES = Object.keys(BLOWS) as readonly BlowName[];
const ODDITY_NAMES = Object.keys(ODDITIES) as readonly OddityName[];

export function scenarioOf(seed: number): Scenario {
  const dice = diceOf(seed, 'acts');
  const span = dice.between(SPAN_MS);
  const hosts = Array.from({ length: dice.pick([1, 2, 2, 3]) }, () =>
    dice.hits(0.6) ? 'usual' : dice.pick(PLAN_NAMES),
  );
  const published: Publication[] = [];
  const acts: Act[] = [];
  const count = dice.between(BOOKINGS);
  for (let number = 1; number <= count; number += 1) acts.push(...booking(number, span, published, dice));
  const requests = acts.map(({ at }) => at);
  for (let left = dice.between(DISTURBANCES); left > 0; left -= 1) acts.push(disturbance(requests, dice));
  for (let left = dice.below(5); left > 0; left -= 1) acts.push(oddity(span, published, dice));
  return {
    hosts,
    unknownForMs: dice.pick([5_000, 60_000]),
    acts: acts.toSorted((one, other) => one.at - other.at),
  };
}

/** The requests about one booking, in their order. */
function booking(number: number, span: number, published: Publication[], dice: Dice): readonly Act[] {
  const reference = `BK-${number}`;
  const hospital = dice.pick(HOSPITALS);
  const contended = dice.hits(CONTENDED);
  const doctor = contended ? 'DR-0' : `DR-${number}`;
  // Never the slot it has: a move to where it is cannot be told from what is there already.
  let last = dice.below(3);
  const slot = () => {
    last += 1 + dice.below(2);
    return slotAt(contended ? last % 3 : last);
  };
  const requests = [request('booking.requested', { reference, hospital, doctor, slot: slot() })];
  if (dice.hits(0.4))
    requests.push(request('booking.reschedule-requested', { reference, hospital, doctor, slot: slot() }));
  if (dice.hits(0.35)) requests.push(request('booking.cancel-requested', { reference, hospital, doctor }));
  let at = 1_000 + dice.below(span);
  return requests.map((publication, index) => {
    if (index > 0) at += dice.hits(0.35) ? 0 : dice.below(8_000);
    published.push(publication);
    return { at, says: `Dawy: ${publication.id}`, run: (world) => world.dawy.publish(publication) };
  });
}

interface Wish {
  readonly reference: string;
  readonly hospital: string;
  readonly doctor: string;
  readonly slot?: { readonly start: string; readonly end: string };
}

function request(type: string, wish: Wish, id = `${wish.reference} ${type}`): Publication {
  const { reference, hospital, doctor, slot } = wish;
  const body = {
    type,
    booking: { reference, hospital },
    doctor,
    patient: 'Test Patient',
    ...(slot === undefined ? {} : { slot }),
  };
  const asks = { reference, hospital, type, ...(slot === undefined ? {} : { start: slot.start }) };
  return { id, body: Buffer.from(JSON.stringify(body)), asks };
}

function slotAt(index: number) {
  const start = FIRST_SLOT_MS + index * HALF_HOUR_MS;
  return { start: iso(start), end: iso(start + HALF_HOUR_MS) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace('.000', '');
}

/** Something goes wrong shortly before or after Dawy asks for something. */
function disturbance(requests: readonly number[], dice: Dice): Act {
  const at = Math.max(0, dice.pick(requests) + dice.between(AROUND_MS));
  if (dice.hits(0.4)) {
    const name = dice.pick(BLOW_NAMES);
    const own = diceOf(dice.below(2 ** 31), name);
    const strike = (world: World, host: Host | null) => BLOWS[name].strike(world, own, host);
    if (dice.hits(AMBUSHED)) {
      const laterMs = dice.pick(dice.hits(0.5) ? [0, 1, 2, 5] : [20, 100, 500, 2_000]);
      const slow = dice.hits(0.5) ? dice.pick(SLOW) : null;
      const run = (world: World) => {
        if (slow !== null)
          for (const place of placesOf(slow, HOSPITALS)) world.weather.begin(slow, place, SLOW_MOMENT);
        world.ambush((host) => strike(world, host), laterMs);
      };
      const meanwhile = slow === null ? '' : `, with ${slow}`;
      return { at, says: `${name}, ${laterMs} ms after the next send begins${meanwhile}`, run };
    }
    return { at, says: name, run: (world) => strike(world, world.anyHost(own)) };
  }
  const name = dice.pick(SPELL_NAMES);
  const place = dice.pick(placesOf(name, HOSPITALS));
  const { ms, rate } = SPELLS[name];
  const spell = { ms: dice.between(ms), rate: rate[0] + (rate[1] - rate[0]) * dice.fraction() };
  return {
    at,
    says: `${name} at ${place} for ${spell.ms} ms, ${spell.rate.toFixed(2)} of the time`,
    run: (world) => world.weather.begin(name, place, spell),
  };
}

function oddity(span: number, published: readonly Publication[], dice: Dice): Act {
  const name = dice.pick(ODDITY_NAMES);
  const at = 2_000 + dice.below(span);
  const known = dice.pick(published);
  const publication = odd(name, known, dice);
  const run = (world: World) => {
    // Only what was published before can be published again.
    const isAgain = name === 'published again' || name === 'other body';
    if (isAgain && !world.dawy.published.some(({ id }) => id === known.id)) return;
    world.weather.saw(name);
    world.dawy.publish(publication);
  };
  return { at, says: `Dawy: ${name}: ${publication.id}`, run };
}

function odd(name: OddityName, known: Publication, dice: Dice): Publication {
  const number = dice.below(1_000_000);
  const wish = {
    reference: known.asks?.reference ?? '-',
    hospital: known.asks?.hospital ?? '-',
    doctor: 'DR-9',
  };
  switch (name) {
    case 'published again':
      return known;
    case 'other body':
      return request('booking.cancel-requested', { ...wish, doctor: `DR-${number}` }, known.id);
    case 'out of turn':
      return request('booking.reschedule-requested', {
        ...wish,
        reference: `BK-X${number}`,
        slot: slotAt(90),
      });
    case 'unreadable':
      return { id: `unreadable ${number}`, body: Buffer.from(`{"type": ${number}`), asks: null };
    case 'no hospital':
      return request('booking.requested', {
        ...wish,
        reference: `BK-Y${number}`,
        hospital: 'nowhere',
        slot: slotAt(91),
      });
  }
}
