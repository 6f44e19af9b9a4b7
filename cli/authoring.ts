import { type Environment, type Loaded, loadPlan, problemsOf } from '../engine/bridge.ts';
import { BridgeError } from '../engine/errors.ts';
import type { Plan, Problem } from '../engine/plan.ts';
import { environment } from './environment.ts';

/** The folder of a routes.yaml, compiled where its secrets may not be known: at a desk, in a pipeline. */
export interface Authored extends Loaded {
  /** The variables it names that are not set here. It does not run without them. */
  readonly unset: readonly string[];
}

/** Compiles a folder with a stand-in for every variable that is not set, so that all the rest can be checked. */
export function author(config: string): Authored {
  const unset = new Set<string>();
  const loaded = loadPlan(config, withStandIns(environment(), unset));
  return { ...loaded, unset: [...unset].sort() };
}

/** The plan of a folder; `config-invalid` with every problem when there is none. Variables that are not set do not matter. */
export function authoredPlan(config: string): Plan {
  return planOf(author(config));
}

/** The plan to work with: every variable it names must be set. */
export function planIn(config: string, env: Environment): Plan {
  return planOf(loadPlan(config, env));
}

function planOf(loaded: Loaded): Plan {
  if (loaded.compiled.kind === 'plan') return loaded.compiled.plan;
  throw new BridgeError('config-invalid', `routes.yaml has problems:\n${problemsOf(loaded).join('\n')}`);
}

/** Every problem of a folder; a variable that is not set here is a warning, unless `strict`. */
export function lintIn(config: string, strict: boolean): readonly Problem[] {
  const here = problemsIn(loadPlan(config, environment()));
  const { unset, ...stoodIn } = author(config);
  if (strict || unset.length === 0) return here;
  const elsewhere = problemsIn(stoodIn);
  const known = new Set(elsewhere.map(textOf));
  const onlyHere = here.filter((problem) => !known.has(textOf(problem)));
  return [...onlyHere.map((problem) => ({ ...problem, severity: 'warning' as const })), ...elsewhere].sort(
    inReadingOrder,
  );
}

function problemsIn({ compiled }: Loaded): readonly Problem[] {
  return compiled.kind === 'problems' ? compiled.problems : compiled.warnings;
}

const textOf = (problem: Problem): string => JSON.stringify(problem);

function inReadingOrder(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

function withStandIns(env: Environment, unset: Set<string>): Environment {
  return new Proxy(env, {
    get(target, name) {
      if (typeof name !== 'string') return undefined;
      const value = target[name];
      if (value !== undefined && value !== '') return value;
      unset.add(name);
      // Reserved for names that lead nowhere (RFC 6761); the schemes are those that addresses must have.
      return name.includes('AMQP') ? 'amqp://not-set.invalid' : 'http://not-set.invalid';
    },
  });
}
