import { Pool } from 'undici';

import type { ChannelContext } from '../../engine/channel.ts';
import { BridgeError } from '../../engine/errors.ts';
import { DEFAULT_LIMITS } from '../../engine/forms/form.ts';
import { exchange, type HttpRequest, type HttpResponse } from './exchange.ts';

// A far side that takes longer to accept is as good as away; the deadline of the send may end it earlier.
const CONNECT_TIMEOUT_MS = 5_000;

// A far side that closes an idle connection just while we write makes the send ambiguous. Servers close after
// 5 s (Node, Apache) and more; we let go first, and a hint of theirs may lengthen it only so far.
const KEEP_ALIVE_MS = 1_000;
const KEEP_ALIVE_MAX_MS = 4_000;

export interface HttpClientOptions {
  readonly channel: string;
  readonly origin: string;
  readonly report: ChannelContext['report'];
  readonly maySend: ChannelContext['maySend'];
}

/** The connections of one channel to one origin. Sends each request once; the engine owns repeats and deadlines. */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #underWay = new Set<Promise<HttpResponse>>();
  #pool: Pool | null = null;
  #state: 'opened' | 'closed' | null = null;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** Makes ready to send. Opens no connection. */
  start(): void {
    this.#pool ??= new Pool(this.#options.origin, {
      // undici 8 offers HTTP/2 by default, where it sends a refused request again by itself (GOAWAY, REFUSED_STREAM).
      allowH2: false,
      pipelining: 1,
      connect: { timeout: CONNECT_TIMEOUT_MS, rejectUnauthorized: true },
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
      // No form would read more, and all answers under way are in memory.
      maxResponseSize: DEFAULT_LIMITS.maxBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Resolves once what is under way has ended, by its answer or its own deadline, and every connection is closed. */
  async stop(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await Promise.allSettled(this.#underWay);
    await pool?.destroy();
  }

  /** Sends one request, as `exchange` promises; rejects as unavailable unless started. */
  async exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const { channel, maySend } = this.#options;
    if (this.#pool === null) {
      throw new BridgeError('connection-failed', `${channel} is not started`, { at: channel });
    }
    const response = exchange(this.#pool, request, { channel, signal, maySend });
    this.#underWay.add(response);
    try {
      const { status } = await response;
      this.#report('opened', `answered ${status}`);
    } catch (thrown) {
      const error = BridgeError.from(thrown, 'send-crashed', channel);
      if (error.code === 'connection-failed') this.#report('closed', error.message);
      throw error;
    } finally {
      this.#underWay.delete(response);
    }
    return response;
  }

  #report(state: 'opened' | 'closed', detail: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.report(state, detail);
  }
}
