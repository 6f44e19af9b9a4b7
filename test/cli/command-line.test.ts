import { expect } from 'chai';
import type { Command } from 'commander';
import { staleFiles } from '../../cli/generate.ts';
import { examplesOf } from '../../cli/help.ts';
import { program } from '../../cli/program.ts';
import { hisbridge, hisbridgeHere } from './command.ts';
import { ConfigFolder, ROOT } from './folder.ts';

const ADDRESSES = {
  AMQP_URL: 'amqp://127.0.0.1',
  ALNOOR_URL: 'http://127.0.0.1:8001',
  STMARY_URL: 'http://127.0.0.1:8002',
};

function leaves(command: Command): readonly Command[] {
  const own = command.commands.filter(({ commands }) => commands.length === 0);
  return [...own, ...command.commands.flatMap(leaves)];
}

describe('the command line', function () {
  // Two commands run as processes of their own.
  this.timeout(30_000);

  it('has examples and --json in every command', () => {
    const all = leaves(program());
    expect(all.length).to.be.greaterThan(20);
    for (const command of all) {
      expect(examplesOf(command), command.name()).not.to.deep.equal([]);
      const flags = command.options.map(({ long }) => long);
      expect(flags, command.name()).to.include('--json');
    }
  });

  it('shows examples that begin with a command there is', () => {
    const names = program().commands.map((command) => command.name());
    for (const command of leaves(program())) {
      for (const example of examplesOf(command)) expect(names).to.include(example.split(' ')[1]);
    }
  });

  it('suggests the command that was meant, with exit code 2', async () => {
    const { code, stderr } = await hisbridge(['lnt']);
    expect(code).to.equal(2);
    expect(stderr).to.include('Did you mean lint?');
  });

  it('says usage errors as problem+json with --json', async () => {
    const { code, stdout, stderr } = await hisbridge(['lint', '--bogus', '--json']);
    expect(code).to.equal(2);
    expect(stdout).to.equal('');
    expect(JSON.parse(stderr)).to.include({ code: 'usage', type: 'urn:hisbridge:error:usage' });
  });

  it('has every generated file as it would be generated', () => {
    expect([...staleFiles().keys()], 'run npm run generate').to.deep.equal([]);
  });
});

describe('hisbridge lint', () => {
  let folder: ConfigFolder;
  before(() => {
    folder = new ConfigFolder();
  });
  after(() => folder.remove());

  it('finds nothing in the example network', async () => {
    const { code, stdout } = await hisbridgeHere(['lint', '-c', ROOT, '--strict', '--json'], ADDRESSES);
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: '[]\n' });
  });

  it('says every problem at its place, with the line and what to write', async () => {
    folder.change('routes.yaml', 'to: alnoor-out', 'to: alnor-out');
    folder.change('routes.yaml', 'onDead: block', 'onDeath: block');
    const { code, stdout, stderr } = await hisbridgeHere(['lint', '-c', folder.path], ADDRESSES);
    expect(code).to.equal(1);
    expect(stdout).to.match(/routes\.yaml:\d+:9 {2}error {2}.*alnor-out.*Did you mean alnoor-out\?/);
    expect(stdout).to.include('onDeath').and.include('Did you mean onDead?').and.include('^^^');
    expect(stderr).to.match(/\d errors, 0 warnings in 1 file\./);
  });

  it('takes a variable that is not set for a warning, unless it must run here', async () => {
    const unset = { AMQP_URL: undefined, ALNOOR_URL: undefined, STMARY_URL: undefined };
    const fresh = new ConfigFolder();
    fresh.change('routes.yaml', '${env:ALNOOR_URL}', '${env:NEVER_SET_ANYWHERE}');
    try {
      const loose = await hisbridgeHere(['lint', '-c', fresh.path], { ...ADDRESSES, ...unset });
      expect(loose.code).to.equal(0);
      expect(loose.stdout).to.include('warning  the environment variable NEVER_SET_ANYWHERE is not set');
      const strict = await hisbridgeHere(['lint', '-c', fresh.path, '--strict'], ADDRESSES);
      expect(strict.code).to.equal(1);
    } finally {
      fresh.remove();
    }
  });
});

describe('hisbridge explain and render', () => {
  it('explains every route of the example network in sentences', async () => {
    for (const route of ['to-alnoor', 'to-stmary', 'tell-dawy', 'warn-dawy']) {
      const { code, stdout } = await hisbridgeHere(['explain', route, '-c', ROOT]);
      expect(code, route).to.equal(0);
      expect(stdout, route)
        .to.match(/^When /)
        .and.include(' 1. ')
        .and.not.include('undefined');
    }
  });

  it('names the secrets of a route and never what they stand for', async () => {
    const { stdout } = await hisbridgeHere(['explain', 'to-alnoor', '-c', ROOT], ADDRESSES);
    expect(stdout).to.include('${env:ALNOOR_URL}').and.not.include('127.0.0.1');
  });

  it('suggests the route that was meant', async () => {
    const { code, stderr } = await hisbridgeHere(['explain', 'to-alnor', '-c', ROOT]);
    expect(code).to.equal(2);
    expect(stderr).to.include('Did you mean to-alnoor?');
  });

  it('renders what would be sent', async () => {
    const file = `${ROOT}/examples/dawy/booking-requested.alnoor.json`;
    const { stdout, stderr } = await hisbridgeHere(['render', 'to-alnoor', '--in', file, '-c', ROOT]);
    expect(JSON.parse(stdout)).to.include({ externalReference: 'BK-7712', doctorId: 'DR-881' });
    expect(stderr).to.include('to alnoor-out, method POST, path /appointments');
  });

  it('refuses to render what would be refused', async () => {
    const file = `${ROOT}/examples/dawy/wrong.no-name.json`;
    const { code, stderr } = await hisbridgeHere(['render', 'to-alnoor', '--in', file, '-c', ROOT, '--json']);
    expect(code).to.equal(1);
    expect(JSON.parse(stderr)).to.include({ code: 'schema-violation', pointer: '/patient/name' });
  });
});

describe('hisbridge test', () => {
  it('prints a line for each test, the differences of what fails, and ends with exit code 1', async () => {
    const folder = new ConfigFolder();
    try {
      folder.change('transforms/alnoor/request.json.yaml', 'message.doctor.id', 'message.patient.id');
      const { code, stdout, stderr } = await hisbridgeHere(['test', '-c', folder.path]);
      expect(code).to.equal(1);
      expect(stdout).to.include(' ok    to-stmary').and.include(' FAIL  to-alnoor');
      expect(stdout).to.match(/\/doctorId {2}expected "DR-881" {2}got "0012345"/);
      expect(stderr).to.match(/\d+ passed, 3 failed .*Coverage: routes 4\/4, templates 9\/9\./);
    } finally {
      folder.remove();
    }
  });
});
