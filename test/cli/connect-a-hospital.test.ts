import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { hisbridgeHere } from './command.ts';
import { ConfigFolder, ROOT } from './folder.ts';

const DOCUMENT = readFileSync(join(ROOT, 'docs/connect-a-hospital.md'), 'utf8');
const ENV = {
  AMQP_URL: 'amqp://127.0.0.1',
  ALNOOR_URL: 'http://127.0.0.1:8001',
  STMARY_URL: 'http://127.0.0.1:8002',
  RIVERSIDE_URL: 'http://127.0.0.1:8120',
};

/** Follows the document: makes every file it shows, and adds to routes.yaml what it says under which head. */
function follow(folder: ConfigFolder): void {
  mkdirSync(join(folder.path, 'transforms/riverside'));
  for (const [, file = '', text = ''] of DOCUMENT.matchAll(
    /^`(\S+\.(?:yaml|json))`\n\n```\w+\n(.*?)```/gms,
  )) {
    folder.write(file, text);
  }
  for (const [, head = '', text = ''] of DOCUMENT.matchAll(/under `(\w+:)`\n\n```yaml\n(.*?)```/gms)) {
    folder.change('routes.yaml', `\n${head}\n`, `\n${head}\n${text.replaceAll('$', '$$$$')}`);
  }
}

describe('docs/connect-a-hospital.md', () => {
  let folder: ConfigFolder;

  before(() => {
    folder = new ConfigFolder();
    follow(folder);
  });
  after(() => folder.remove());

  const run = (...args: string[]) => hisbridgeHere([...args, '-c', folder.path], ENV);

  it('shows a configuration without a problem', async () => {
    const { code, stdout } = await run('lint', '--strict', '--json');
    expect(JSON.parse(stdout)).to.deep.equal([]);
    expect(code).to.equal(0);
  });

  it('shows tests that pass once their expected file is written', async () => {
    const tests = join(folder.path, 'transforms/riverside');
    const written = await run('test', tests, '--update');
    expect(written.code, written.stdout).to.equal(0);
    const again = await run('test', tests, '--json');
    expect(JSON.parse(again.stdout).tests.map((one: { ok: boolean }) => one.ok)).to.deep.equal([
      true,
      true,
      true,
      true,
    ]);
    expect(JSON.parse(folder.read('transforms/riverside/request.expected.json'))).to.include({
      doctorId: 'DR-881',
    });
  });

  it('shows a route that can be explained and rendered', async () => {
    expect((await run('explain', 'to-riverside')).stdout).to.include('hospital is riverside');
    const file = join(folder.path, 'examples/dawy/booking-requested.riverside.json');
    const { stdout } = await run('render', 'to-riverside', '--in', file);
    expect(JSON.parse(stdout)).to.include({ externalReference: 'BK-7712' });
  });
});
