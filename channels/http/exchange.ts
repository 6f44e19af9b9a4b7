import { type Dispatcher, errors } from 'undici';

import { BridgeError } from '../../engine/errors.ts';
import { failpoint } from '../../engine/failpoint.ts';

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A response that came completely; one that broke off is an error. */
export interface HttpResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Sends one request over `dispatcher` and resolves with its complete response. Rejects with a BridgeError whose
 * fault is `ambiguous` if and only if a byte may have left. Never sends twice, never follows a redirect.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: HttpRequest,
  { channel, signal, maySend }: Pick<Ends, 'channel' | 'signal' | 'maySend'>,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const { method, path, headers } = request;
    const handler = new Exchange({ channel, signal, maySend, resolve, reject });
    if (signal.aborted) {
      handler.abort();
      return;
    }
    signal.addEventListener('abort', handler.abort, { once: true });
    // A Buffer over the same bytes: undici takes a bare Uint8Array for empty when its whole ArrayBuffer is.
    const body = Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength);
    dispatcher.dispatch({ method, path, headers: { ...headers }, body }, handler);
  });
}

interface Ends {
  readonly channel: string;
  readonly signal: AbortSignal;
  /** Asked right before the first byte. */
  readonly maySend: () => boolean;
  readonly resolve: (response: HttpResponse) => void;
  readonly reject: (error: BridgeError) => void;
}

/** One request on its way, as undici tells of it. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #ends: Ends;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | null = null;
  #ended = false;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};

  constructor(ends: Ends) {
    this.#ends = ends;
  }

  readonly abort = (): void => {
    const reason = new errors.RequestAbortedError();
    if (this.#controller === null) this.#fail(reason);
    else this.#controller.abort(reason);
  };

  /** undici calls it right before it writes, and only then: without it no byte has left. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    const isPrevented = !this.#ended && !this.#ends.maySend();
    if (isPrevented) this.#prevent();
    if (this.#ended) controller.abort(new errors.RequestAbortedError());
    else {
      this.#controller = controller;
      failpoint('M8');
    }
  }

  onResponseStart(_: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = flat(headers);
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (!this.#end()) return;
    this.#ends.resolve({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) });
  }

  onResponseError(_: unknown, error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (!this.#end()) return;
    const { channel, signal, reject } = this.#ends;
    const where = { channel, timedOut: signal.aborted };
    reject(this.#controller === null ? neverSent(error, where) : brokenOff(error, where));
  }

  #prevent(): void {
    this.#end();
    const { channel, reject } = this.#ends;
    reject(
      new BridgeError('send-prevented', `${channel} was not sent to: this instance may be taken for lost`, {
        at: channel,
      }),
    );
  }

  #end(): boolean {
    const first = !this.#ended;
    this.#ended = true;
    this.#ends.signal.removeEventListener('abort', this.abort);
    return first;
  }
}

interface Where {
  readonly channel: string;
  readonly timedOut: boolean;
}

function neverSent(error: Error, { channel, timedOut }: Where): BridgeError {
  const reason = codeOf(error);
  // undici refuses a method, path or header that HTTP cannot carry before it writes. Waiting cannot help.
  if (reason === 'UND_ERR_INVALID_ARG') {
    return new BridgeError('output-invalid', `${channel} cannot send what was rendered over HTTP`, {
      at: channel,
      details: { reason },
    });
  }
  const message = timedOut ? `${channel} was not connected in time` : `could not connect ${channel}`;
  return new BridgeError('connection-failed', message, { cause: error, at: channel, details: { reason } });
}

function brokenOff(error: Error, { channel, timedOut }: Where): BridgeError {
  const reason = codeOf(error);
  const options = { at: channel, details: { reason } };
  if (timedOut)
    return new BridgeError('answer-timeout', `${channel} got no complete answer in time`, options);
  // No cause: an HTTPParserError carries the bytes it could not read.
  if (unreadable(reason)) {
    return new BridgeError(
      'answer-unreadable',
      `${channel} got an answer that breaks HTTP or a limit`,
      options,
    );
  }
  return new BridgeError('connection-reset', `${channel} lost the connection before a complete answer`, {
    ...options,
    cause: error,
  });
}

function unreadable(reason: string): boolean {
  return (
    reason.startsWith('HPE_') ||
    reason === 'HTTPParserError' ||
    reason === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' ||
    reason === 'UND_ERR_HEADERS_OVERFLOW' ||
    reason === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  );
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [
    name.toLowerCase(),
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return Object.fromEntries(entries);
}
