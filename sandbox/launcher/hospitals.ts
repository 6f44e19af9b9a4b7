import { join } from 'node:path';

import { CHECKOUT, type HospitalEndpoints } from '../environment.ts';
import type { Log } from '../servers/server.ts';
import { Part } from './part.ts';
import { portFor } from './ports.ts';

interface Simulated {
  readonly name: string;
  readonly kind: 'rest' | 'soap';
}

/** The hospitals of the example network. */
export const HOSPITALS: readonly Simulated[] = [
  { name: 'alnoor', kind: 'rest' },
  { name: 'stmary', kind: 'soap' },
];

/** Starts a simulated hospital as a process of its own. Its addresses stay the same when it is started again. */
export async function startHospital(
  { name, kind }: Simulated,
  folder: string,
  say: Log,
): Promise<{ readonly part: Part; readonly name: string; readonly endpoints: HospitalEndpoints }> {
  const { part, ready } = await Part.start({
    name,
    args: [
      join(CHECKOUT, 'sandbox/hospitals/main.ts'),
      ...['--name', name, '--kind', kind, '--data', join(folder, 'hospitals', name)],
      ...['--port', `${await portFor(folder, name)}`],
      ...['--control-port', `${await portFor(folder, `${name}-control`)}`],
    ],
    cwd: CHECKOUT,
    folder,
    isReady: (line) => line['ready'] === true,
    say,
    graceMs: 5_000,
  });
  return { part, name, endpoints: { kind, address: `${ready['address']}`, control: `${ready['control']}` } };
}
