import type { Environment } from '../engine/bridge.ts';
import { sandboxEnvironment } from '../sandbox/environment.ts';

/** The environment of the process; what it leaves out comes from the sandbox of this checkout, when that is running. */
export function environment(): Environment {
  return { ...sandboxEnvironment(), ...process.env };
}
