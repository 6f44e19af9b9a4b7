import type { Chance } from '../crash/random.ts';
import { duringReplay, hourly, refusals, reloads } from './occasions.ts';

import { caughtOn, dies, isCutOff, killed, type Strike, throws } from './strikes.ts';
import { answerOf, commitReply, damaged, halfDelivery, halfRequest } from './traps.ts';

export const FAULTS = ['kill', 'throw', 'reset'] as const;
export type Fault = (typeof FAULTS)[number];

/** One fault at a moment: how it is brought about, and what must come of it besides what must always be so. */
export interface Way {
  readonly how: string;
  readonly leadsTo: string;
  readonly strike: (chance: Chance) => Strike;
  /** What an engine must have logged for it. */
  readonly logs?: readonly string[];
  /** What a person has to do afterwards. */
  readonly person?: 'replays';
}

/** Where in two hundred messages it happens: not among the first, not among the last. */
const somewhere = (chance: Chance) => 20 + chance.below(100);
/** The same in claims: every channel makes some at the start. */
const later = (chance: Chance) => 14 + chance.below(8);
/** The same in batches, of which there are few. */
const early = (chance: Chance) => 2 + chance.below(3);
/** The same among the sends to one hospital. */
const few = (chance: Chance) => 5 + chance.below(30);
const anyHospital = (chance: Chance) => (chance.hits(0.5) ? 'alnoor' : 'stmary');

const REPEATED = 'the broker brings again what was not acknowledged; what was kept is known by its id';
const GIVEN_BACK =
  'a defect is logged, and within ten seconds the delivery is given back, as perhaps sent where it may have been';
const PERHAPS_SENT = 'perhaps sent: repeated with the same key at alnoor, asked after at stmary';

/** Every moment of a message, and each of the faults at it. 17 x 3 = 51. */
export const SWEEP: Readonly<Record<string, { readonly moment: string } & Readonly<Record<Fault, Way>>>> = {
  M0: {
    moment: 'half a frame of a delivery has come from the broker',
    kill: {
      how: 'the link stops there and the engine is killed',
      leadsTo: 'the broker brings it again',
      strike: (chance) => caughtOn('broker', halfDelivery(somewhere(chance)), killed),
    },
    throw: {
      how: 'the frame ends with another octet than frames do: the client library throws',
      leadsTo: 'the connection is closed and opened again; the broker brings it again',
      strike: (chance) =>
        caughtOn('broker', halfDelivery(somewhere(chance)), (caught) => caught.release(damaged)),
    },
    reset: {
      how: 'the link resets the connection there',
      leadsTo: 'the broker brings it again',
      strike: (chance) => caughtOn('broker', halfDelivery(somewhere(chance)), (caught) => caught.reset()),
    },
  },
  M1: {
    moment: 'received, not stored',
    kill: { how: 'failpoint', leadsTo: REPEATED, strike: (chance) => dies('M1', somewhere(chance)) },
    throw: {
      how: 'failpoint',
      leadsTo: `the arrival is rejected and its consumer begins anew; ${REPEATED}`,
      strike: (chance) => throws('M1', somewhere(chance)),
    },
    reset: {
      how: 'the engine stands still at the failpoint, the broker is reset',
      leadsTo: REPEATED,
      strike: (chance) => isCutOff('M1', somewhere(chance), ['broker']),
    },
  },
  M2: {
    moment: 'keeping: COMMIT sent, its reply pending',
    kill: {
      how: 'the link holds the reply, and the engine is killed',
      leadsTo: 'everything is kept; the broker brings it again, and it is known by its ids',
      strike: (chance) => caughtOn('database', commitReply('keep', 1 + chance.below(2)), killed),
    },
    throw: {
      how: 'failpoint right before the COMMIT: a wait for a reply has no line that could throw',
      leadsTo: 'rolled back as if the store were away; the arrivals come again',
      strike: (chance) => throws('M2', 1 + chance.below(2)),
    },
    reset: {
      how: 'the link resets the connection in place of the reply',
      leadsTo: 'unknown: looked up by its ids on a new connection and found',
      strike: (chance) =>
        caughtOn('database', commitReply('keep', 1 + chance.below(2)), (caught) => caught.reset()),
      logs: ['commit-unknown'],
    },
  },
  M3: {
    moment: 'kept, source not acknowledged',
    kill: { how: 'failpoint', leadsTo: REPEATED, strike: (chance) => dies('M3', somewhere(chance)) },
    throw: {
      how: 'failpoint',
      leadsTo: `the arrival is rejected although it is kept; ${REPEATED}`,
      strike: (chance) => throws('M3', somewhere(chance)),
    },
    reset: {
      how: 'the engine stands still at the failpoint, the broker is reset',
      leadsTo: REPEATED,
      strike: (chance) => isCutOff('M3', somewhere(chance), ['broker']),
    },
  },
  M4: {
    moment: 'acknowledged, not picked up',
    kill: {
      how: 'failpoint right before a claim',
      leadsTo: 'the next start claims them',
      strike: (chance) => dies('M4', later(chance)),
    },
    throw: {
      how: 'failpoint right before a claim',
      leadsTo: 'a defect is logged; the next look within a second claims them',
      strike: (chance) => throws('M4', later(chance)),
      logs: ['defect'],
    },
    reset: {
      how: 'the engine stands still at the failpoint, PostgreSQL is reset',
      leadsTo: 'the next look claims them',
      strike: (chance) => isCutOff('M4', later(chance), ['database']),
    },
  },
  M5: {
    moment: 'rendered, edition not on disk',
    kill: {
      how: 'failpoint',
      leadsTo: 'nothing was sent: queued again, not as perhaps sent',
      strike: (chance) => dies('M5', somewhere(chance)),
      logs: ['instance-took-over'],
    },
    throw: {
      how: 'failpoint',
      leadsTo: 'a stage that threw what it must not: dead as stage-crashed, and a person replays it',
      strike: (chance) => throws('M5', somewhere(chance)),
      person: 'replays',
    },
    reset: {
      how: 'the engine stands still at the failpoint, PostgreSQL is reset',
      leadsTo: 'the edition is written on a new connection, or the delivery is given back',
      strike: (chance) => isCutOff('M5', somewhere(chance), ['database']),
    },
  },
  M6: {
    moment: 'settling: COMMIT sent, its reply pending',
    kill: {
      how: 'the link holds the reply, and the engine is killed',
      leadsTo: 'settled; what it put into the queue goes on at the next start',
      strike: (chance) => caughtOn('database', commitReply('settle', early(chance)), killed),
    },
    throw: {
      how: 'failpoint right before the COMMIT: a wait for a reply has no line that could throw',
      leadsTo: 'rolled back as if the store were away, and settled once it is ready',
      strike: (chance) => throws('M6', early(chance)),
    },
    reset: {
      how: 'the link resets the connection in place of the reply',
      leadsTo: 'unknown: looked up by its ids on a new connection and found',
      strike: (chance) =>
        caughtOn('database', commitReply('settle', early(chance)), (caught) => caught.reset()),
      logs: ['commit-unknown'],
    },
  },
  M7: {
    moment: 'edition on disk, nothing sent',
    kill: {
      how: 'failpoint',
      leadsTo: PERHAPS_SENT,
      strike: (chance) => dies('M7', somewhere(chance)),
      logs: ['instance-took-over'],
    },
    throw: {
      how: 'failpoint',
      leadsTo: GIVEN_BACK,
      strike: (chance) => throws('M7', somewhere(chance)),
      logs: ['defect', 'orphans-released'],
    },
    reset: {
      how: 'the engine stands still at the failpoint, both hospitals are reset',
      leadsTo: `it is sent on a new connection; what was under way beside it is ${PERHAPS_SENT}`,
      strike: (chance) => isCutOff('M7', somewhere(chance), ['alnoor', 'stmary']),
    },
  },
  M8: {
    moment: 'half the bytes are at the hospital',
    kill: {
      how: 'the link passes half of a request on, and the engine is killed',
      leadsTo: PERHAPS_SENT,
      strike: (chance) => caughtOn(anyHospital(chance), halfRequest(few(chance)), killed),
      logs: ['instance-took-over'],
    },
    throw: {
      how: 'failpoint right before the first byte, where undici hears of it: in the middle no line of ours runs',
      leadsTo: PERHAPS_SENT,
      strike: (chance) => throws('M8', somewhere(chance)),
    },
    reset: {
      how: 'the link passes half of a request on, and resets the connection',
      leadsTo: PERHAPS_SENT,
      strike: (chance) => caughtOn(anyHospital(chance), halfRequest(few(chance)), (caught) => caught.reset()),
    },
  },
  M9: {
    moment: 'the hospital has it, the answer is not seen',
    kill: {
      how: 'failpoint',
      leadsTo: PERHAPS_SENT,
      strike: (chance) => dies('M9', somewhere(chance)),
      logs: ['instance-took-over'],
    },
    throw: {
      how: 'failpoint',
      leadsTo: `a channel that threw what it must not; ${PERHAPS_SENT}`,
      strike: (chance) => throws('M9', somewhere(chance)),
    },
    reset: {
      how: 'the link resets the connection in place of the answer',
      leadsTo: PERHAPS_SENT,
      strike: (chance) => caughtOn(anyHospital(chance), answerOf(few(chance)), (caught) => caught.reset()),
    },
  },
  M10: {
    moment: 'the answer is seen, not recorded',
    kill: {
      how: 'failpoint',
      leadsTo: PERHAPS_SENT,
      strike: (chance) => dies('M10', somewhere(chance)),
      logs: ['instance-took-over'],
    },
    throw: {
      how: 'failpoint',
      leadsTo: GIVEN_BACK,
      strike: (chance) => throws('M10', somewhere(chance)),
      logs: ['defect', 'orphans-released'],
    },
    reset: {
      how: 'the engine stands still at the failpoint, PostgreSQL is reset',
      leadsTo: 'the answer is settled on a new connection',
      strike: (chance) => isCutOff('M10', somewhere(chance), ['database']),
    },
  },
  M11: {
    moment: 'recorded, Dawy not told',
    kill: {
      how: 'failpoint',
      leadsTo: 'the event was queued in the same transaction and is published at the next start',
      strike: (chance) => dies('M11', somewhere(chance)),
    },
    throw: {
      how: 'failpoint',
      leadsTo: 'a defect is logged; the next of the lane that came along is given back within ten seconds',
      strike: (chance) => throws('M11', somewhere(chance)),
      logs: ['defect'],
    },
    reset: {
      how: 'the engine stands still at the failpoint, the broker is reset',
      leadsTo: 'the event is published on a new connection, under the same id where it may have been before',
      strike: (chance) => isCutOff('M11', somewhere(chance), ['broker']),
    },
  },
  M12: {
    moment: 'published to Dawy, confirm pending',
    kill: {
      how: 'failpoint',
      leadsTo: 'published again under the same id',
      strike: (chance) => dies('M12', somewhere(chance)),
      logs: ['instance-took-over'],
    },
    throw: {
      how: 'failpoint',
      leadsTo: 'a channel that threw what it must not: published again under the same id',
      strike: (chance) => throws('M12', somewhere(chance)),
    },
    reset: {
      how: 'the engine stands still at the failpoint, the broker is reset',
      leadsTo: 'published again under the same id',
      strike: (chance) => isCutOff('M12', somewhere(chance), ['broker']),
    },
  },
  M13: {
    moment: 'writing a dead letter',
    kill: {
      how: 'failpoint, with a request among the load that the schema refuses',
      leadsTo: 'nothing was written; it comes again and is refused then',
      strike: () => refusals(dies('M13', 1)),
    },
    throw: {
      how: 'failpoint, with a request among the load that the schema refuses',
      leadsTo: 'rolled back as if the store were away; it comes again and is refused then',
      strike: () => refusals(throws('M13', 1)),
    },
    reset: {
      how: 'the engine stands still at the failpoint, PostgreSQL is reset',
      leadsTo: 'the batch is looked up, not found, and run again',
      strike: () => refusals(isCutOff('M13', 1, ['database'])),
    },
  },
  M14: {
    moment: 'during a replay by a person',
    kill: {
      how: 'failpoint in the command, which is killed',
      leadsTo: 'nothing was changed; the command works when it is given again',
      strike: () => duringReplay('kill'),
    },
    throw: {
      how: 'failpoint in the command',
      leadsTo: 'it fails and says so, and nothing was changed; it works when it is given again',
      strike: () => duringReplay('throw'),
    },
    reset: {
      how: 'the command stands still at the failpoint, PostgreSQL is reset',
      leadsTo: 'it fails and says so, and nothing was changed; it works when it is given again',
      strike: () => duringReplay('stop'),
    },
  },
  M15: {
    moment: 'upkeep: making the places of days to come',
    kill: {
      how: 'failpoint in an engine whose hour is short, when days are missing',
      leadsTo: 'the day is there as a whole or not at all; the next start makes it',
      strike: () => hourly((target) => dies('M15', 1)(target)),
    },
    throw: {
      how: 'failpoint in an engine whose hour is short, when days are missing',
      leadsTo: 'a defect is logged; the next hour makes the day',
      strike: () => hourly((target) => throws('M15', 1)(target)),
      logs: ['defect'],
    },
    reset: {
      how: 'the engine stands still at the failpoint, PostgreSQL is reset',
      leadsTo: 'the next hour makes the day',
      strike: () => hourly((target) => isCutOff('M15', 1, ['database'])(target)),
    },
  },
  M16: {
    moment: 'between two plans, while a template changes under load',
    kill: {
      how: 'failpoint',
      leadsTo: 'the next start compiles the new one',
      strike: () => reloads(dies('M16', 1), null),
    },
    throw: {
      how: 'failpoint',
      leadsTo: 'the change is refused and said so, the plan before stays; the next change is taken',
      strike: () => reloads(throws('M16', 1), 'plan-refused'),
      logs: ['plan-refused'],
    },
    reset: {
      how: 'the engine stands still at the failpoint, the broker is reset',
      leadsTo: 'the new plan is in force, the channels open again',
      strike: () => reloads(isCutOff('M16', 1, ['broker']), null),
    },
  },
};
