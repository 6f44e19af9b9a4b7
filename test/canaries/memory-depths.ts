import type { MemoryTables } from '../../engine/store/memory.ts';
import type { Depths } from './canary.ts';

/** Beneath a memory store. */
export function memoryDepths(tables: MemoryTables): Depths {
  return {
    laneById() {
      tables.inOrder = () => [...tables.open.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    },
    async own(deliveries, instance) {
      for (const id of deliveries) {
        const row = tables.open.get(id);
        if (row?.state === 'running' || row?.state === 'queued')
          tables.change(id, { state: 'running', owner: instance });
      }
    },
    async drop(delivery) {
      tables.open.delete(delivery);
    },
  };
}
