import { BridgeError } from '../../engine/errors.ts';
import type { WatchedServer } from './server.ts';

/** A server somebody else runs: used, never stopped. */
export function givenServer(url: string, variable: string): WatchedServer {
  const refuse = async () => {
    throw new BridgeError('not-allowed', `the server of ${variable} is not ours to stop`);
  };
  return { url, stop: () => Promise.resolve(), kill: refuse, restart: refuse, ended: () => null };
}
