import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readSecrets } from './launcher/secrets.ts';

/** The checkout this file belongs to. */
export const CHECKOUT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/**
 * Everything the sandbox of a checkout keeps: git-ignored, and safe to remove when it is not running.
 * HISBRIDGE_SANDBOX_FOLDER puts it elsewhere.
 */
export const SANDBOX_FOLDER = resolve(process.env['HISBRIDGE_SANDBOX_FOLDER'] ?? join(CHECKOUT, '.sandbox'));

/** Where everything of a running sandbox can be reached from outside: `.sandbox/endpoints.json`. */
export interface Endpoints {
  readonly api: string | null;
  readonly metrics: string | null;
  readonly amqp: string;
  readonly database: string;
  readonly hospitals: Readonly<Record<string, HospitalEndpoints>>;
}

export interface HospitalEndpoints {
  readonly kind: string;
  readonly address: string;
  readonly control: string;
}

/** Written whole or not at all; readable by its owner alone, since it holds passwords. */
export function writeEndpoints(folder: string, endpoints: Endpoints): void {
  const file = fileIn(folder);
  writeFileSync(`${file}.new`, `${JSON.stringify(endpoints, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** What is in the file of the sandbox in `folder`, or null while it does not run. */
export function readEndpoints(folder: string = SANDBOX_FOLDER): Endpoints | null {
  try {
    return JSON.parse(readFileSync(fileIn(folder), 'utf8')) as Endpoints;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Takes the file away: nothing answers there any more. */
export function removeEndpoints(folder: string): void {
  rmSync(fileIn(folder), { force: true });
}

/**
 * The environment an engine needs to be part of the running sandbox: DATABASE_URL, AMQP_URL, HISBRIDGE_DIGEST_KEY and an
 * address per hospital. Empty while none runs, so that `{ ...sandboxEnvironment(), ...process.env }` is right in both cases.
 */
export function sandboxEnvironment(folder: string = SANDBOX_FOLDER): Readonly<Record<string, string>> {
  const endpoints = readEndpoints(folder);
  const secrets = readSecrets(folder);
  if (endpoints === null || secrets === null) return {};
  return engineEnvironment(endpoints, secrets.digestKey);
}

/** What `routes.yaml` of the example network and the engine read from their environment. */
export function engineEnvironment(
  { amqp, database, hospitals }: Pick<Endpoints, 'amqp' | 'database' | 'hospitals'>,
  digestKey: string,
): Readonly<Record<string, string>> {
  const addresses = Object.entries(hospitals).map(([name, { address }]) => [
    `${name.toUpperCase()}_URL`,
    address,
  ]);
  return {
    DATABASE_URL: database,
    AMQP_URL: amqp,
    HISBRIDGE_DIGEST_KEY: process.env['HISBRIDGE_DIGEST_KEY'] ?? digestKey,
    ...Object.fromEntries(addresses),
  };
}

function fileIn(folder: string): string {
  return join(folder, 'endpoints.json');
}
