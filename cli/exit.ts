import { CommanderError } from 'commander';
import { BridgeError, CATALOGUE } from '../engine/errors.ts';

/** What a command found out about itself, as an exit code: 0 well, 1 findings, 2 usage, 3 unreachable, 4 not permitted, 5 changed meanwhile, 130 interrupted. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  if (!(thrown instanceof BridgeError)) return 1;
  switch (thrown.code) {
    case 'usage':
    case 'config-invalid':
      return 2;
    case 'store-unavailable':
    case 'broker-unavailable':
    case 'connection-failed':
      return 3;
    case 'credentials-refused':
      return 4;
    case 'not-allowed':
      return 5;
    default:
      return 1;
  }
}

/** Says on stderr what went wrong and what to do about it; with `asJson` as problem+json (RFC 9457). */
export function sayError(thrown: unknown, asJson: boolean): void {
  if (!(thrown instanceof BridgeError)) {
    console.error(thrown);
    return;
  }
  const { code, message, details, remedy } = thrown;
  const { summary } = CATALOGUE[code];
  if (asJson)
    console.error(
      JSON.stringify({
        type: `urn:hisbridge:error:${code}`,
        title: summary,
        detail: message,
        code,
        remedy,
        ...details,
      }),
    );
  else console.error(`${code}: ${message}\n${remedy}`);
}
