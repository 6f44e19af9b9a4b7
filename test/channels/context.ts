import type { ChannelContext } from '../../engine/channel.ts';
import type { SystemName } from '../../engine/message.ts';

/** What a channel knows of the world, with everything it reported. */
export function aContext(now = new Date('2026-12-02T05:00:00Z')) {
  const reports: { readonly state: 'opened' | 'closed'; readonly detail: string }[] = [];
  const context: ChannelContext = {
    system: 'alnoor' as SystemName,
    connections: {},
    clock: {
      now: () => now,
      monotonicMs: () => now.getTime(),
      sleep: async () => undefined,
      turn: async () => undefined,
      alarm: () => () => undefined,
    },
    report: (state, detail) => reports.push({ state, detail }),
    storeReady: async () => undefined,
    maySend: () => true,
  };
  return { context, reports };
}
