import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backlog } from './backlog.ts';
import type { Claims } from './claims.ts';
import type { Latency } from './latency.ts';
import type { Circumstances } from './place.ts';
import type { Throughput } from './throughput.ts';
import type { Two } from './two.ts';

/** What a run measured. */
export interface Measured {
  readonly throughput?: Throughput;
  readonly latency?: Latency;
  readonly backlog?: Backlog;
  readonly claims?: Claims;
  readonly two?: Two;
}

/** Writes `latest.json`. What another run measured of the same commit stays. */
export function writeResults(folder: string, circumstances: Circumstances, measured: Measured): void {
  const file = join(folder, 'latest.json');
  const { commit, node, postgres, rabbitmq, ...machine } = circumstances;
  const before = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { readonly commit?: string })
    : {};
  const results = {
    ...(before.commit === commit ? before : {}),
    ...measured,
    machine,
    versions: { node, postgres, rabbitmq },
    commit,
    at: new Date().toISOString(),
  };
  const text = JSON.stringify(
    results,
    (_, value: unknown) => (typeof value === 'number' ? rounded(value) : value),
    2,
  );
  writeFileSync(file, `${text}\n`);
}

/** Four digits are more than any of it is good for. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
