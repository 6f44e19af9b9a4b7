import { changeRoutes, isRefused, planInForce, routesOf, saveRoutes, worksBy } from './edits.ts';
import { asked, publishOnce } from './load.ts';
import { type Cell, come, prove, type Trial } from './trial.ts';

export const CONFIGURATION: readonly Cell[] = [
  {
    id: 'R41',
    fault:
      'routes.yaml that is no YAML, half written, of an unknown system; a route taken out that has a backlog',
    expects:
      'the plan before stays and the line is named; the backlog is kept, and goes when its route is back',
    cheap: true,
    run: routesChange,
  },
];

const BACKLOG = 40;

async function routesChange(trial: Trial): Promise<void> {
  const place = await trial.open();
  const { world, engine } = place;
  await engine.start();
  await worksBy(place);
  const good = routesOf(place);
  const hash = await planInForce(place);

  const broken: readonly (readonly [what: string, text: string])[] = [
    ['no YAML', good.replace('channels:', 'channels: [')],
    ['an unknown system', good.replace('    system: stmary', '    system: alnor')],
    ['the channel of nobody', good.replace('to: alnoor-out', 'to: alnoor-uot')],
    ['half of it', halfOf(good, good.length * (0.3 + trial.chance.fraction() / 2))],
  ];
  for (const [what, text] of broken) {
    const problems = await isRefused(place, text);
    trial.faults += 1;
    prove(
      problems.some((problem) => /^routes\.yaml:\d+:\d+/.test(problem)),
      `${what}: no line is named: ${problems.join(' ')}`,
    );
    await publishOnce(place, asked(10));
  }
  // Written in place and slowly: at every look it is another half.
  for (let written = 700; written < good.length; written += 700) {
    saveRoutes(place, halfOf(good, written));
    await publishOnce(place, asked(2));
    trial.faults += 1;
  }
  saveRoutes(place, good);
  await world.quiet();
  prove((await planInForce(place)) === hash, 'a plan came into force that nobody wrote');

  await place.links.alnoor.plugOut();
  await publishOnce(place, asked(BACKLOG, 'alnoor'));
  const open = (route: string) =>
    place.number('select count(*) from hisbridge.delivery where route = $1', [route]);
  const waiting = () => open('to-alnoor');
  await come('a backlog', async () => (await waiting()) === BACKLOG);
  await changeRoutes(place, '  to-alnoor:\n    from: dawy-in\n', '  to-alnoor-new:\n    from: dawy-in\n');
  trial.faults += 1;
  await place.links.alnoor.plugIn();
  await publishOnce(place, asked(10));
  await come('the new route at work', async () => {
    return (
      (await world.database.keptFrom('dawy-in')) === world.dawy.published.length &&
      (await open('to-alnoor-new')) === 0
    );
  });
  prove((await waiting()) === BACKLOG, `of a backlog of ${BACKLOG} there are ${await waiting()}`);
  trial.figure(`a backlog of ${BACKLOG} waited for its route`);
  await changeRoutes(place, '  to-alnoor-new:\n', '  to-alnoor:\n');
  await world.quiet();
  await trial.judge(place);
}

/** Cut off inside braces. A file cut off between two entries is a shorter configuration, and nobody can tell. */
function halfOf(text: string, at: number): string {
  return text.slice(0, text.lastIndexOf('{ ', at) + 2);
}
