import { Command } from 'commander';
import { migrateStore } from '../engine/bridge.ts';
import { environment } from './environment.ts';
import { examples } from './help.ts';

/** `hisbridge migrate`: brings the tables to this version. Safe to repeat. */
export function migrate(): Command {
  const command = new Command('migrate')
    .description('Bring the tables of PostgreSQL to this version, and make the days ahead.')
    .option('--json', 'print the applied migrations as JSON')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const applied = await migrateStore(environment());
      if (json) console.log(JSON.stringify({ applied }));
      else
        console.log(
          applied.length === 0 ? 'The tables are those of this version.' : `Applied ${applied.join(', ')}.`,
        );
    });
  return examples(command, ['hisbridge migrate']);
}
