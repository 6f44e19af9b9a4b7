import { Command } from 'commander';
import { onlyNear } from '../engine/config/suggest.ts';
import { BridgeError } from '../engine/errors.ts';
import type { RouteName } from '../engine/message.ts';
import type { Plan } from '../engine/plan.ts';
import type { Route } from '../engine/route.ts';
import { authoredPlan } from './authoring.ts';
import { explained } from './explanation.ts';
import { examples, FOLDER } from './help.ts';
import { print, printJson } from './terminal.ts';

interface Options {
  readonly config: string;
  readonly json?: boolean;
}

/** `hisbridge explain <route>`: what a route does, in sentences. */
export function explain(): Command {
  const command = new Command('explain')
    .description('Say in plain English what a route does: when, with what, where to, and what answers mean.')
    .argument('<route>', 'a route of routes.yaml')
    .option(...FOLDER)
    .option('--json', 'print the sentences as JSON')
    .action((name: string, { config, json = false }: Options) => {
      const plan = authoredPlan(config);
      const lines = explained(plan, routeOf(plan, name));
      if (json) printJson({ route: name, says: lines });
      else print(lines);
    });
  return examples(command, ['hisbridge explain to-alnoor', 'hisbridge explain tell-dawy']);
}

/** A route by its name; throws `usage` with what it may have been meant to be. */
export function routeOf(plan: Plan, name: string): Route {
  const route = plan.routes.get(name as RouteName);
  if (route !== undefined) return route;
  const names = [...plan.routes.keys()];
  const hint = onlyNear(name, names) ?? `There are ${names.join(', ')}.`;
  throw new BridgeError('usage', `${name} is no route of routes.yaml. ${hint}`);
}
