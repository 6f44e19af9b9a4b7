import { parseArgs } from 'node:util';
import { serveControl } from './control-server.ts';
import { Hospital } from './hospital.ts';
import { Misbehaviours } from './misbehaviour.ts';
import { takeFolder } from './ownership.ts';
import { rest } from './rest.ts';
import { HospitalServer } from './server.ts';
import { soap } from './soap.ts';

const USAGE =
  'usage: node sandbox/hospitals/main.ts --name NAME --kind rest|soap --data FOLDER [--port N] [--control-port N] [--seed N]';

const { values } = parseArgs({
  options: {
    name: { type: 'string' },
    kind: { type: 'string' },
    data: { type: 'string' },
    port: { type: 'string', default: '0' },
    'control-port': { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
  },
});
const { name, kind, data } = values;
if (name === undefined || data === undefined || (kind !== 'rest' && kind !== 'soap')) {
  console.error(USAGE);
  process.exit(2);
}

/** What is in memory may differ from what is on disk: only a new start from the file is safe. */
function failed(thrown: unknown): never {
  console.error(thrown);
  process.exit(1);
}

const owner = await takeFolder(data, name);
if (owner !== null) {
  console.error(`${name} in ${data} is served by process ${owner} already; end it with: kill ${owner}`);
  process.exit(1);
}

const protocol = kind === 'rest' ? rest : soap;
const hospital = await Hospital.open({
  name,
  folder: data,
  prefix: protocol.prefix,
  recognizesRepeats: protocol.recognizesRepeats,
});
const misbehaviours = new Misbehaviours(async () => {
  if (misbehaviours.isDown) server.close();
  else await server.listen().catch(failed);
});
const port = Number(values.port);
const server = new HospitalServer({ hospital, protocol, misbehaviours, port, failed });
await server.listen();
const control = await serveControl(
  { name, kind, hospital, misbehaviours, seed: Number(values.seed), address: () => server.address, failed },
  Number(values['control-port']),
);

async function stop(): Promise<void> {
  server.close();
  control.server.close();
  control.server.closeAllConnections();
  await hospital.close();
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop().catch(failed));

console.log(JSON.stringify({ ready: true, name, kind, address: server.address, control: control.address }));
