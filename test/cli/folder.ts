import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** A copy of the example configuration that a test may spoil. */
export class ConfigFolder {
  readonly path: string;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'hisbridge-config-'));
    for (const part of ['routes.yaml', 'transforms', 'schemas', 'examples']) {
      cpSync(join(ROOT, part), join(this.path, part), { recursive: true });
    }
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.path, file), text);
  }

  change(file: string, from: string, to: string): void {
    this.write(file, this.read(file).replace(from, to));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
