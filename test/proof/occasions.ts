import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHECKOUT } from '../../sandbox/environment.ts';
import { type Child, startChild } from '../../sandbox/launcher/child.ts';
import { booking } from '../crash/load.ts';
import { COMPILE_CACHE, type EngineProcess } from '../support/world-engine.ts';
import { worksBy } from './edits.ts';
import { unreadable } from './load.ts';
import type { Place } from './place.ts';
import { afresh, type Strike, type Way } from './strikes.ts';
import { come, meanwhile, prove, said, within } from './trial.ts';

const ENGINE_WITH = fileURLToPath(new URL('../crash/engine-with.ts', import.meta.url));
/** How long an hour is for an engine whose upkeep is to be seen. */
const HOUR_MS = 300;
const REASON = 'the hospital corrected its list';

/** With a request among the load that the schema refuses. */
export function refusals(strike: Strike): Strike {
  return (target) => {
    const load = async () => {
      await Promise.all([target.load(), target.place.world.dawy.publish(unreadable('alnoor'))]);
    };
    return strike({ ...target, load });
  };
}

/** In an engine whose hour is short, after the days to come were taken away. They must be there in the end. */
export function hourly(strike: Strike): Strike {
  return async ({ place, engine: usual, load }) => {
    await usual.kill();
    const engine = hurried(place);
    const days = await daysAhead(place);
    await strike({
      place,
      engine,
      load: async () => {
        await dropLastDay(place);
        await load();
      },
    });
    await come('every day that was there before', async () => (await daysAhead(place)) === days);
    await place.world.quiet();
    await engine.kill();
    await usual.start();
  };
}

const engines = new WeakMap<Place, EngineProcess>();

function hurried(place: Place): EngineProcess {
  const made =
    engines.get(place) ?? place.world.addEngine({ program: [ENGINE_WITH, '--hour-lasts', String(HOUR_MS)] });
  engines.set(place, made);
  return made;
}

const DAYS = `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
  join pg_class p on p.oid = i.inhparent where p.relnamespace = 'hisbridge'::regnamespace and p.relkind = 'p'
  order by right(c.relname, 8), c.relname`;

async function daysAhead(place: Place): Promise<number> {
  return (await place.ask(DAYS)).length;
}

async function dropLastDay(place: Place): Promise<void> {
  const days = await place.ask<{ name: string }>(DAYS);
  const last = days.at(-1)!.name.slice(-8);
  const gone = days.filter(({ name }) => name.endsWith(last)).map(({ name }) => `hisbridge.${name}`);
  await place.ask(`drop table ${gone.join(', ')}`);
}

/** While a template changes. `refused` when the change is not to be taken; the one after it is. */
export function reloads(strike: Strike, refused: 'plan-refused' | null): Strike {
  return async (target) => {
    const { place, engine } = target;
    const from = engine.lines.length;
    const load = async () => {
      const loading = meanwhile(target.load());
      changeTemplate(place);
      await loading;
    };
    await strike({ ...target, load });
    if (refused !== null) {
      await come('the refusal of the plan', () => said(engine.lines.slice(from), refused).length > 0);
      changeTemplate(place);
    }
    await worksBy(place);
  };
}

let changes = 0;

function changeTemplate({ world }: Place): void {
  changes += 1;
  const template = join(world.root, 'transforms/alnoor/request.json.yaml');
  writeFileSync(template, `${readFileSync(template, 'utf8')}# change ${changes}\n`);
}

/** While a person replays a dead delivery by command: the command meets the fault, and is given again afterwards. */
export function duringReplay(way: Way): Strike {
  return async ({ place, engine, load }) => {
    const { world, links } = place;
    await afresh(engine);
    const id = await deadDelivery(place);
    const loading = meanwhile(load());
    const first = replaying(place, id, { HISBRIDGE_FAILPOINTS: `M14:${way}#1` });
    if (way === 'stop') {
      await come('the command standing still', () => isStopped(first.child.pid));
      links.database.reset();
      process.kill(first.child.pid, 'SIGCONT');
    }
    const { code, how } = await within('the end of the command', first.child.ended);
    prove(
      first.printed.some((line) => line.includes('"failpoint"')),
      `the command never came to M14: ${first.printed.join(' ')}`,
    );
    prove(way === 'kill' ? how === 'signal SIGKILL' : code !== 0, `the command did not fail: ${how}`);
    const stopped = await world.database.stopped();
    prove(
      stopped.some((one) => one.id === id && one.state === 'dead'),
      'the command failed and changed something',
    );
    await replayed(place, id);
    await loading;
  };
}

/** A delivery that alnoor called wrong. */
export async function deadDelivery({ world }: Place): Promise<string> {
  const [message] = booking({ hospital: 'alnoor', story: 'only asked' });
  const { reference } = message!.booking;
  await world.hospitals.alnoor.break('wrong', { references: [reference] });
  await world.dawy.publish(message!);
  const find = async () => (await world.database.stopped()).find((one) => one.reference === reference);
  await come('a dead delivery', async () => (await find()) !== undefined);
  await world.hospitals.alnoor.heal();
  return (await find())!.id;
}

/** A person replays a delivery. Throws when the command fails. */
export async function replayed(place: Place, id: string): Promise<void> {
  const { child, printed } = replaying(place, id, {});
  const { code } = await within('the end of the command', child.ended);
  prove(code === 0, `hisbridge replay failed: ${printed.join(' ')}`);
}

function replaying(
  { world }: Place,
  id: string,
  env: Readonly<Record<string, string>>,
): { readonly child: Child; readonly printed: readonly string[] } {
  const printed: string[] = [];
  const child = startChild({
    name: 'hisbridge replay',
    command: process.execPath,
    args: [join(CHECKOUT, 'cli/hisbridge.ts'), 'replay', id, '--reason', REASON, '-c', world.root],
    cwd: CHECKOUT,
    env: { ...COMPILE_CACHE, ...world.env, ...env },
    folder: world.folder,
    onLine: (line) => printed.push(line),
    onErrorLine: (line) => printed.push(line),
  });
  return { child, printed };
}

function isStopped(pid: number): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // It is gone already: the wait for its end says how.
    return false;
  }
}
