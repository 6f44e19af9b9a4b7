import type { Environment } from '../engine/bridge.ts';
import { SANDBOX_FOLDER, sandboxEnvironment } from '../sandbox/environment.ts';

/** The environment of the process; what it leaves out comes from the sandbox of this checkout, when that is running. */
export function environment(): Environment {
  return { ...sandboxEnvironment(sandboxFolder()), ...process.env };
}

/** Where the sandbox keeps its addresses: in this checkout, unless HISBRIDGE_SANDBOX names another folder. */
export function sandboxFolder(): string {
  return process.env['HISBRIDGE_SANDBOX'] ?? SANDBOX_FOLDER;
}
