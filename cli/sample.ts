import { randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { readFolder } from '../engine/config/source.ts';
import { BridgeError } from '../engine/errors.ts';
import { slotAt } from '../sandbox/dawy/messages.ts';
import { place } from './fixtures/given.ts';

/** A message as Dawy would publish it, made from an example. */
export interface Sample {
  readonly id: string;
  readonly type: string;
  readonly reference: string;
  readonly hospital: string;
  readonly body: Buffer;
}

/** A change of one place of the sample, as the command line says it. */
export interface Change {
  readonly pointer: string;
  readonly value: unknown;
}

const EXAMPLES = 'examples/dawy';

/** A fresh message of a type: its own id and reference, and a slot in the future. Throws `usage` when no example has the type. */
export function sampleOf(root: string, type: string, hospital: string, changes: readonly Change[]): Sample {
  const body = exampleOf(root, type, hospital);
  const id = randomUUID();
  const slot = slotAt(new Date(), randomInt(2, 300), randomInt(0, 16));
  place(body, '/id', id);
  place(body, '/booking/reference', freshReference());
  place(body, '/booking/hospital', hospital);
  if ('slot' in body) place(body, '/slot', slot);
  for (const { pointer, value } of changes) place(body, pointer, value);
  const about = (body['booking'] ?? {}) as { readonly reference?: unknown; readonly hospital?: unknown };
  return {
    id: typeof body['id'] === 'string' ? body['id'] : id,
    type,
    reference: String(about.reference ?? ''),
    hospital: String(about.hospital ?? ''),
    body: Buffer.from(JSON.stringify(body)),
  };
}

/** `/slot/start=2027-…` sets a text; `/slot:={"start":…}` any JSON; `/note=` takes the text out of it. */
export function changeIn(text: string): Change {
  const [, pointer = '', json, value = ''] = /^(\/[^=]*?)(:?)=(.*)$/s.exec(text) ?? [];
  if (pointer === '') throw new BridgeError('usage', `--set ${text}: write /path=text or /path:=json`);
  if (json !== ':') return { pointer, value };
  try {
    return { pointer, value: JSON.parse(value) };
  } catch (thrown) {
    throw new BridgeError('usage', `--set ${pointer}: what follows := is not JSON`, { cause: thrown });
  }
}

function exampleOf(root: string, type: string, hospital: string): Record<string, unknown> {
  const { read, list } = readFolder(root);
  const stem = type.replaceAll('.', '-');
  const names = list(EXAMPLES).filter((name) => name.endsWith('.json') && !name.startsWith('wrong.'));
  const ofType = names.filter((name) => name.startsWith(`${stem}.`));
  const name = ofType.find((one) => one === `${stem}.${hospital}.json`) ?? ofType[0];
  const text = name === undefined ? null : read(join(EXAMPLES, name));
  if (text !== null) return JSON.parse(text) as Record<string, unknown>;
  const types = new Set(names.flatMap((one) => typeIn(read(join(EXAMPLES, one)))));
  throw new BridgeError('usage', `${EXAMPLES} has no example of ${type}: there are ${[...types].join(', ')}`);
}

function typeIn(text: string | null): readonly string[] {
  const { type } = JSON.parse(text ?? '{}') as { readonly type?: unknown };
  return typeof type === 'string' ? [type] : [];
}

/** A reference that is used once: the time, and enough chance for many at once. */
function freshReference(): string {
  const time = Math.floor(Date.now() / 1_000)
    .toString(36)
    .slice(-5);
  return `BK-${time}-${randomInt(36 ** 4)
    .toString(36)
    .padStart(4, '0')}`.toUpperCase();
}
