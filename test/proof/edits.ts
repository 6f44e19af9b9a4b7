import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadPlan } from '../../engine/bridge.ts';
import type { Place } from './place.ts';
import { come, prove, said } from './trial.ts';

/** routes.yaml of a place as it stands. */
export function routesOf({ world }: Place): string {
  return readFileSync(join(world.root, 'routes.yaml'), 'utf8');
}

/** Saves routes.yaml, as an editor does that writes in place. */
export function saveRoutes({ world }: Place, text: string): void {
  writeFileSync(join(world.root, 'routes.yaml'), text);
}

/** Saves a change of routes.yaml, and resolves once the engine works by it. Throws when there is nothing to change. */
export async function changeRoutes(place: Place, from: string | RegExp, to: string): Promise<void> {
  const before = routesOf(place);
  const after = before.replace(from, to);
  prove(before !== after, `routes.yaml has nothing like ${from}`);
  saveRoutes(place, after);
  await worksBy(place);
}

/** Resolves once the engine works by the files as they are. */
export async function worksBy(place: Place): Promise<void> {
  const { compiled } = loadPlan(place.world.root, place.world.env);
  prove(compiled.kind === 'plan', 'routes.yaml does not compile');
  const { hash } = compiled.plan;
  await come('the plan of today in force', async () => (await planInForce(place)) === hash);
}

/** The plan of the engine that beat last. */
export async function planInForce(place: Place): Promise<string | null> {
  const latest = 'select plan from hisbridge.instance order by beat desc limit 1';
  const [row] = await place.ask<{ plan: string | null }>(latest);
  return row?.plan ?? null;
}

/** Saves something that is no configuration, and resolves with what the engine has against it. */
export async function isRefused(place: Place, text: string): Promise<readonly string[]> {
  const from = place.engine.lines.length;
  const refusals = () => said(place.engine.lines.slice(from), 'plan-refused');
  saveRoutes(place, text);
  await come('the refusal of the plan', () => refusals().length > 0);
  return refusals().at(-1)!['problems'] as readonly string[];
}
