import type { Moment } from '../../engine/failpoint.ts';
import type { EngineProcess } from '../support/world-engine.ts';
import type { Caught, Trap } from './link.ts';
import type { LinkName, Place } from './place.ts';
import { come, meanwhile, prove, said, within } from './trial.ts';

/** A place with an engine to strike, and the load that carries it to the moment. */
export interface Target {
  readonly place: Place;
  readonly engine: EngineProcess;
  /** Publishes; resolves when all is published. */
  readonly load: () => Promise<void>;
}

/** Brings one fault about at one moment and sees that it was so. Resolves with an engine at work that knows no failpoint. */
export type Strike = (target: Target) => Promise<void>;

export type Way = 'kill' | 'throw' | 'stop';

/** The engine kills itself at the n-th passage of the moment, and is started again. */
export function dies(moment: Moment, nth: number): Strike {
  return async ({ engine, load }) => {
    await armed(engine, moment, 'kill', nth);
    const loading = meanwhile(load());
    await within(`the end of the engine at ${moment}`, engine.ended());
    proveDied(engine);
    await engine.start();
    await loading;
  };
}

/** The code throws at the n-th passage of the moment; the engine lives on. */
export function throws(moment: Moment, nth: number): Strike {
  return async ({ engine, load }) => {
    const met = await armed(engine, moment, 'throw', nth);
    await load();
    await come(`${moment} thrown at`, met);
    prove(engine.runs, `the engine ended of what was thrown at ${moment}: ${engine.end}`);
  };
}

/** The engine stands still at the n-th passage of the moment, every connection of the links is reset, and it goes on. */
export function isCutOff(moment: Moment, nth: number, names: readonly LinkName[]): Strike {
  return async ({ place, engine, load }) => {
    await armed(engine, moment, 'stop', nth);
    const loading = meanwhile(load());
    await come(`the engine standing still at ${moment}`, () => engine.frozen);
    const cut = names.map((name) => place.links[name].reset()).reduce((sum, one) => sum + one, 0);
    engine.wake();
    prove(cut > 0, `there was no connection to reset at ${moment}`);
    await loading;
  };
}

/** The link stops in the middle of what it carries; then something happens. */
export function caughtOn(
  name: LinkName,
  trap: Trap,
  then: (caught: Caught, target: Target) => Promise<void> | void,
): Strike {
  return async (target) => {
    await afresh(target.engine);
    const catching = target.place.links[name].catch(trap);
    const loading = meanwhile(target.load());
    await then(await within(`the moment on the link to ${name}`, catching), target);
    await loading;
  };
}

/** Kills the engine while a connection stands still, and starts it again. */
export async function killed(caught: Caught, { engine }: Target): Promise<void> {
  await engine.kill();
  proveDied(engine);
  caught.reset();
  await engine.start();
}

/** Starts an engine anew that knows no failpoint. */
export async function afresh(engine: EngineProcess): Promise<void> {
  await engine.kill();
  await engine.start({ HISBRIDGE_FAILPOINTS: '' });
}

/** Starts it anew with a failpoint. Resolves with whether the moment was met since. */
export async function armed(
  engine: EngineProcess,
  moment: Moment,
  way: Way,
  nth: number,
): Promise<() => boolean> {
  await engine.kill();
  const from = engine.lines.length;
  const env = { HISBRIDGE_FAILPOINTS: `${moment}:${way}#${nth}` };
  await within(`the engine ready before ${moment}`, engine.start(env));
  return () => said(engine.lines.slice(from), 'failpoint').some((line) => line['moment'] === moment);
}

/** Nobody else sends it that signal: it met the moment. */
function proveDied(engine: EngineProcess): void {
  prove(engine.end === 'signal SIGKILL', `the engine was not killed: ${engine.end}`);
}
