import { BridgeError } from '../../engine/errors.ts';

/** Where a channel sends: one origin, fixed by routes.yaml, and the path every request begins with. */
export interface Address {
  readonly origin: string;
  readonly path: string;
  /** What follows the `?`, with it; empty when there is none. */
  readonly query: string;
}

/** Reads the `address` of a channel. Throws `config-invalid`, which never repeats the address: it may hold a secret. */
export function readAddress(channel: string, address: string): Address {
  const url = URL.parse(address);
  const problem = problemOf(url);
  if (url === null || problem !== null) {
    throw new BridgeError('config-invalid', `address of ${channel} ${problem ?? 'is not a URL'}`, {
      at: channel,
    });
  }
  return { origin: url.origin, path: url.pathname, query: url.search };
}

function problemOf(url: URL | null): string | null {
  if (url === null) return 'is not a URL';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'carries credentials; put them into headers';
  if (url.hash !== '') return 'carries a fragment, which is never sent';
  return null;
}

// Printable ASCII without what URL parsers read differently from one another: backslash, quote, angle bracket, #.
const PLAIN_PATH = /^\/[\x21\x24-\x3b\x3d\x3f-\x5b\x5d-\x7e]*$/;
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

/**
 * The path and query of one request. Throws `output-invalid` for a path that could leave the address
 * or that HTTP cannot carry: it was rendered from a message, and nothing of a message chooses where we send.
 */
export function requestPath(channel: string, address: Address, path: string): string {
  if (path === '') return address.path + address.query;
  if (!PLAIN_PATH.test(path) || DOT_SEGMENT.test(path)) {
    throw new BridgeError('output-invalid', `the path rendered for ${channel} is not a plain URL path`, {
      at: channel,
      details: { length: path.length },
    });
  }
  const whole = address.path.replace(/\/$/, '') + path;
  if (address.query === '') return whole;
  return `${whole}${path.includes('?') ? '&' : '?'}${address.query.slice(1)}`;
}
