import { SystemClock } from '../../../engine/clock.ts';
import { systemRandom } from '../../../engine/random.ts';
import { MemoryStore, MemoryTables } from '../../../engine/store/memory.ts';
import { describeStore, type StoreWorld } from '../../support/store-conformance.ts';

describeStore('memory', async (): Promise<StoreWorld> => {
  const tables = new MemoryTables(new SystemClock(), systemRandom);
  return {
    open: async () => new MemoryStore(tables),
    crash: (store) => store.close(),
    messages: async () => tables.messages.size,
    deliveries: async (booking) => tables.inOrder().filter(({ bookingRef }) => bookingRef === booking),
    close: () => Promise.resolve(),
  };
});
