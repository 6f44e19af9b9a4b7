import { BridgeError } from '../../engine/errors.ts';
import type { Membership, Store } from '../../engine/store.ts';

type Call = keyof Store | 'beat' | 'leave';

/** A store that can be taken away from whoever uses it, as a whole or call by call. */
export interface Losable {
  readonly store: Store;
  /** From now on these calls reject and change nothing; all of them when none is named. */
  lose(...calls: readonly Call[]): void;
  /** From now on this call rejects and changes nothing, though the store is ready. Returns how often it was asked. */
  refuse(call: Call): () => number;
  restore(): void;
}

/** Calls that ask nothing of the server. */
const ALWAYS: ReadonlySet<unknown> = new Set(['wake', 'close', 'ready']);

/** Puts the possibility of loss before a store. */
export function losable(store: Store): Losable {
  let lost: ((call: Call) => boolean) | null = null;
  let back = Promise.withResolvers<void>();
  let isReady = true;
  const ask = (call: Call) => {
    if (lost?.(call))
      throw new BridgeError('store-unavailable', `the test has taken the store away from ${call}`);
  };
  const membership = (one: Membership): Membership => ({
    ...one,
    beat: async (report) => {
      ask('beat');
      return one.beat(report);
    },
    leave: async () => {
      ask('leave');
      return one.leave();
    },
  });
  const calls = new Proxy(store, {
    get(target, name) {
      const call = Reflect.get(target, name) as (...given: unknown[]) => unknown;
      if (name === 'ready') return (signal: AbortSignal) => waiting(signal);
      if (ALWAYS.has(name)) return call.bind(target);
      return async (...given: unknown[]) => {
        ask(name as Call);
        const result = await call.apply(target, given);
        return name === 'join' ? membership(result as Membership) : result;
      };
    },
  });
  const waiting = (signal: AbortSignal) => {
    if (isReady) return Promise.resolve();
    const aborted = Promise.withResolvers<never>();
    const give = () => aborted.reject(new BridgeError('store-unavailable', 'stopped waiting for the store'));
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
    return Promise.race([back.promise, aborted.promise]);
  };
  return {
    store: calls,
    lose(...only) {
      lost = only.length === 0 ? () => true : (call) => only.includes(call);
      back = Promise.withResolvers<void>();
      isReady = false;
    },
    refuse(refused) {
      let asked = 0;
      lost = (call) => {
        if (call === refused) asked += 1;
        return call === refused;
      };
      return () => asked;
    },
    restore() {
      lost = null;
      isReady = true;
      back.resolve();
    },
  };
}
