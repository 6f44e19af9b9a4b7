import { ARRIVALS } from './arrivals.ts';
import { BROKER } from './broker.ts';
import { CONFIGURATION } from './configuration.ts';
import { DATABASE } from './database.ts';
import { ENGINE_DIES } from './engine-dies.ts';
import { HOSPITAL } from './hospital.ts';
import { NEMESIS } from './nemesis.ts';
import { PEERS } from './peers.ts';
import type { Cell } from './trial.ts';

/** Every cell there is, by family. Their numbers are those of the matrix they come from; what is missing is not there yet. */
export const CELLS: readonly Cell[] = [
  ...ENGINE_DIES,
  ...BROKER,
  ...DATABASE,
  ...HOSPITAL,
  ...ARRIVALS,
  ...CONFIGURATION,
  ...PEERS,
  ...NEMESIS,
].toSorted((one, other) => one.id.localeCompare(other.id, 'en', { numeric: true }));
