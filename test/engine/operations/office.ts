import { createDesk } from '../../../engine/booking/desk.ts';
import type { OutboundChannel } from '../../../engine/channel.ts';
import { BridgeError } from '../../../engine/errors.ts';
import { keyedDigest } from '../../../engine/lane.ts';
import type { OperationParts } from '../../../engine/operations/parts.ts';
import { systemRandom } from '../../../engine/random.ts';
import type { Decision, Records } from '../../../engine/records.ts';
import { MemoryStore } from '../../../engine/store/memory.ts';
import { workOf } from '../../../engine/store/memory-lanes.ts';
import type { EngineEvent } from '../../../engine/telemetry.ts';
import type { Core } from '../core.ts';

export const DECISION: Decision = { by: 'a person', reason: 'a test' };

/** The desk of a person beside a running core: over its tables, and no instance itself. */
export class TestOffice {
  readonly parts: OperationParts;
  readonly events: EngineEvent[] = [];
  readonly notTaken: string[] = [];
  /** Until when what was not taken goes again. */
  readonly untilWhen: Date[] = [];
  readonly replayed: ({ readonly id: string } & Parameters<Records['replay']>[1])[] = [];

  constructor(core: Core, routes: (text: string) => string) {
    const store = new MemoryStore(core.tables);
    const records: Pick<Records, 'stopped' | 'notTaken' | 'replay'> = {
      stopped: async (id) => {
        const row = core.tables.open.get(id);
        return row === undefined || (row.state !== 'held' && row.state !== 'dead')
          ? null
          : workOf(core.tables, row);
      },
      replay: async (id, again) => {
        this.replayed.push({ id, ...again });
      },
      notTaken: async (id, { giveUpAt }) => {
        this.notTaken.push(id);
        this.untilWhen.push(giveUpAt);
        core.tables.change(id, { state: 'queued', ambiguous: false, dueAt: core.clock.now(), error: null });
        store.wake([core.hospital.name]);
      },
    };
    this.parts = {
      plan: core.planOf(routes),
      store,
      // What a settlement or a probe does not use is not there.
      records: records as Records,
      desk: createDesk(),
      digest: keyedDigest('a secret of the tests'),
      clock: core.clock,
      random: systemRandom,
      telemetry: { emit: (event) => this.events.push(event) },
      openOutbound: (name) => {
        if (name !== core.hospital.name) throw new BridgeError('not-found', name);
        return onLoan(core.hospital);
      },
    };
  }
}

/** The same far side, which the core goes on using. */
function onLoan(channel: OutboundChannel): OutboundChannel {
  return {
    name: channel.name,
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    send: (parcel, signal) => channel.send(parcel, signal),
  };
}
