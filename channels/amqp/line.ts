import type { ChannelModel } from 'amqplib';
import type { Clock } from '../../engine/clock.ts';
import { BridgeError } from '../../engine/errors.ts';
import { openConnection } from './connect.ts';

const CLOSE_TIMEOUT_MS = 2_000;
// The broker proposes 60 s, and twice that is how long a silent network would go unnoticed.
const HEARTBEAT_S = '10';

/**
 * One connection to a broker, opened when somebody needs it and shared by all who do. One that broke is
 * forgotten; the next who asks gets a new one. Trying again later is the business of those who ask.
 */
export class Line {
  readonly #url: string;
  readonly #clock: Clock;
  #current: Promise<ChannelModel> | null = null;

  /** Throws `config-invalid` when the address is no URL of a broker. */
  constructor(url: string, clock: Clock) {
    this.#url = withHeartbeat(url);
    this.#clock = clock;
  }

  /** Throws `broker-unavailable`, or `credentials-refused`. */
  connection(): Promise<ChannelModel> {
    if (this.#current !== null) return this.#current;
    const forget = () => {
      if (this.#current === opening) this.#current = null;
    };
    const opening = connected(this.#url, forget);
    opening.catch(() => forget());
    this.#current = opening;
    return opening;
  }

  /** Ends the connection, if there is one, and all its channels with it. */
  async close(): Promise<void> {
    const opening = this.#current;
    this.#current = null;
    const model = await opening?.catch(() => null);
    if (model === null || model === undefined) return;
    // amqplib waits for the broker's word, which a silent network never brings; heartbeats end it later.
    const ended = new AbortController();
    await Promise.race([model.close(), this.#clock.sleep(CLOSE_TIMEOUT_MS, ended.signal)]);
    ended.abort();
  }
}

async function connected(url: string, forget: () => void): Promise<ChannelModel> {
  try {
    return await openConnection(url, forget);
  } catch (cause) {
    const refused = /403|ACCESS.REFUSED/i.test(String(cause));
    throw new BridgeError(
      refused ? 'credentials-refused' : 'broker-unavailable',
      refused ? 'the broker refuses our credentials' : 'the broker could not be reached',
      { cause },
    );
  }
}

function withHeartbeat(url: string): string {
  if (!URL.canParse(url))
    throw new BridgeError('config-invalid', 'the address of the broker is no amqp:// URL');
  const parsed = new URL(url);
  if (parsed.protocol !== 'amqp:' && parsed.protocol !== 'amqps:') {
    throw new BridgeError('config-invalid', 'the address of the broker is no amqp:// URL');
  }
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', HEARTBEAT_S);
  return parsed.href;
}
