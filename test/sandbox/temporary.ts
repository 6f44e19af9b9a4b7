import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { endProcessesOf } from '../../sandbox/launcher/processes.ts';

/** A folder for each test of a suite; whatever was started for it is ended with it. */
export function aFolderPerTest(): () => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(realpathSync(tmpdir()), 'hisbridge-sandbox-'));
  });
  afterEach(async () => {
    await endProcessesOf(folder, 2_000);
    rmSync(folder, { recursive: true, force: true });
  });
  return () => folder;
}

/** A process that runs until it is ended, and says so when it is asked to. */
export const ENDLESS =
  "process.on('SIGTERM', () => process.exit(7)); console.log('{\"ready\":true}'); setInterval(() => {}, 1e6);";
