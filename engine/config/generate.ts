import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ChannelKind } from '../channel.ts';
import { generateRoutesSchema } from './schema.ts';

/** Where editors find the schema, from the folder of routes.yaml. */
export const SCHEMA_FILE = 'schemas/routes.schema.json';

/** Writes the schema of routes.yaml below a folder. */
export function writeRoutesSchema(root: string, kinds: readonly ChannelKind[]): void {
  writeFileSync(resolve(root, SCHEMA_FILE), generateRoutesSchema(kinds));
}
