import { userInfo } from 'node:os';
import { parse } from 'yaml';
import { type Office, openOffice } from '../engine/bridge.ts';
import { ROUTES_FILE } from '../engine/config/compile.ts';
import type { Config } from '../engine/config/config.ts';
import { readFolder } from '../engine/config/source.ts';
import { BridgeError } from '../engine/errors.ts';
import type { Telemetry } from '../engine/telemetry.ts';
import { environment } from './environment.ts';
import { say } from './terminal.ts';

/** A command says what it did itself; only a defect of the store has nobody else to say it. */
const DEFECTS: Telemetry = {
  emit(event) {
    if (event.kind === 'defect') say(`defect in ${event.where}: ${event.detail}`);
  },
};

/** Opens the records for as long as `act` takes. */
export async function withOffice<Result>(act: (office: Office) => Promise<Result>): Promise<Result> {
  const env = environment();
  if (!env['DATABASE_URL'])
    throw new BridgeError(
      'usage',
      'DATABASE_URL is not set, and no sandbox runs here: set it, or start the example network: npm start',
    );
  const office = await openOffice(env, DEFECTS);
  try {
    return await act(office);
  } finally {
    await office.close();
  }
}

/** Who acts: the person this process belongs to, as the audit names them. */
export function whoActs(): string {
  return userInfo().username;
}

/** The search keys that are kept as digests; none when there is no routes.yaml that says so. */
export function privateNames(root: string): readonly string[] {
  const config = parse(readFolder(root).read(ROUTES_FILE) ?? '') as Partial<Config> | null;
  const names = Object.values(config?.channels ?? {}).flatMap((channel) =>
    Object.entries(channel?.read?.search ?? {}).flatMap(([name, key]) =>
      typeof key === 'object' && key.private === true ? [name] : [],
    ),
  );
  return [...new Set(names)];
}
