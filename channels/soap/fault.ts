import type { ErrorCode } from '../../engine/errors.ts';
import { type Path, textAt } from '../../engine/forms/form.ts';

/** What a SOAP fault says, in the words of SOAP 1.1 whatever its version. */
export interface Fault {
  /** `Client`, `Server`, `MustUnderstand`, `VersionMismatch`, or a word of the vendor's own. */
  readonly class: string;
  /** The class as it was said where that is more particular: `Server.Busy`. */
  readonly said: string;
}

/** Paths into an envelope, which is the root and so not part of them. */
export interface FaultPaths {
  readonly fault: Path;
  /** SOAP 1.1 section 4.4.1. */
  readonly faultcode: Path;
  /** SOAP 1.2 part 1 section 5.4.1. */
  readonly codeValue: Path;
}

/** The fault in a decoded envelope; null when there is none. */
export function faultIn(envelope: unknown, paths: FaultPaths): Fault | null {
  if (paths.fault(envelope) === undefined) return null;
  const qualified = textAt(paths.faultcode, envelope) ?? textAt(paths.codeValue, envelope) ?? '';
  const local = qualified.trim().split(':').at(-1) ?? '';
  const said = local === '' ? 'Unknown' : (ONE_POINT_ONE[local] ?? local);
  return { class: said.split('.', 1)[0] ?? said, said };
}

const ONE_POINT_ONE: Readonly<Record<string, string>> = { Sender: 'Client', Receiver: 'Server' };

/** What to look up for a fault, the most particular first. */
export function faultSignals(fault: Fault, code: string | null): readonly string[] {
  const signals = [`fault/${fault.said}`, `fault/${fault.class}`];
  return [...new Set(code === null ? signals : [`fault/${fault.class}/${code}`, ...signals])];
}

/** What a fault means that `verdicts:` does not list. A class nobody defined proves nothing. */
export function meaningOfFault(fault: Fault): ErrorCode {
  switch (fault.class) {
    case 'Client':
    case 'MustUnderstand':
    case 'VersionMismatch':
    case 'DataEncodingUnknown':
      return 'request-refused';
    default:
      return 'server-failed';
  }
}
