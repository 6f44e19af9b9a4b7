import { expect } from 'chai';
import type { World } from '../support/world.ts';
import { type Findings, sentence } from './checker.ts';
import type { Named } from './evidence.ts';

/** A line of figures for whoever watches, under the name of the test. */
export function say(line: string): void {
  process.stdout.write(`      ${line}\n`);
}

/** Judges a world that is quiet: nothing lost, nothing twice, nothing out of order, and no engine found a defect. */
export async function expectAllWell(world: World, settled: readonly Named[] = []): Promise<Findings> {
  const found = await world.check(settled);
  say(sentence(found));
  const { summary: _, ...violations } = found;
  expect(world.logged('defect')).to.deep.equal([]);
  for (const [kind, list] of Object.entries(violations)) {
    expect(list.slice(0, 5), `${kind}: ${list.length}`).to.deep.equal([]);
  }
  expect(await world.database.deadlocks(), 'deadlocks').to.equal(0);
  expect(await world.database.ledgerDifferences(), 'ledger differences').to.equal(0);
  return found;
}

/** No delivery stands before a person. */
export async function expectNobodyNeeded(world: World): Promise<void> {
  expect(await world.database.stopped()).to.deep.equal([]);
}
