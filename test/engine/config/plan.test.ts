import { expect } from 'chai';
import { compile } from '../../../engine/config/compile.ts';
import { formatProblem } from '../../../engine/config/problems.ts';
import type { ChannelName, SystemName } from '../../../engine/message.ts';
import { compiled, type Edit, ENV, edited, FILES, inMemory, kinds, planOf, saidOf } from './network.ts';

const outbound = (name: string, ...edits: readonly Edit[]) =>
  planOf(edited(...edits)).outbound.get(name as ChannelName)!;

describe('a plan', () => {
  it('has channels with their options, defaults, secrets and durations in place', () => {
    const { deadlineMs, maxInFlight, options, repeats, verdicts, system, kind } = outbound('north-out');
    expect(options).to.deep.equal({ address: 'https://north.example/s3cret', code: '/code' });
    expect({ deadlineMs, maxInFlight, repeats, system, kind }).to.deep.equal({
      deadlineMs: 5_000,
      maxInFlight: 4,
      repeats: 'probe',
      system: 'north',
      kind: 'rest',
    });
    expect([...verdicts]).to.deep.equal([
      ['201', 'taken'],
      ['409/TAKEN', 'declined'],
    ]);
  });

  it('takes what a channel leaves out from its kind, and then from the schema', () => {
    const { deadlineMs, maxInFlight, options, repeats, verdicts, probe } = outbound('dawy-out');
    expect(options).to.deep.equal({ exchange: 'his.events', confirmTimeout: 10_000 });
    expect({ deadlineMs, maxInFlight, repeats, probe }).to.deep.equal({
      deadlineMs: 30_000,
      maxInFlight: 1,
      repeats: 'recognized',
      probe: null,
    });
    expect([...verdicts]).to.deep.equal([['confirmed', 'taken']]);
  });

  it('has systems with their connections', () => {
    const { systems } = planOf();
    expect(systems.get('dawy' as SystemName)).to.deep.equal({
      name: 'dawy',
      timeZone: null,
      connections: { amqp: ENV.AMQP_URL },
    });
    expect(systems.get('north' as SystemName)).to.include({ timeZone: 'Asia/Riyadh' });
  });

  it('takes a secret from a file without its last line break', () => {
    const files = edited(['routes.yaml', '${env:NORTH_URL}', '${file:/run/secrets/north}/v1']);
    const { outbound } = planOf({ ...files, '/run/secrets/north': 'https://hidden.example\n' });
    expect(outbound.get('north-out' as ChannelName)!.options).to.include({
      address: 'https://hidden.example/v1',
    });
  });

  it('keeps every file it was made of, and no secret', () => {
    const files = edited(['routes.yaml', '${env:NORTH_URL}', '${file:/run/secrets/north}']);
    const plan = planOf({ ...files, '/run/secrets/north': 'https://hidden.example', 'notes.md': 'mine' });
    expect([...plan.files.keys()]).to.deep.equal(Object.keys(FILES).sort());
    expect([...plan.files.values()].join('')).to.not.match(/s3cret|hidden/);
  });

  it('is named by its files: the same by the same, another by any change', () => {
    const hash = planOf().hash;
    expect(hash).to.match(/^[0-9a-f]{64}$/);
    expect(planOf({ ...FILES, 'notes.md': 'mine' }).hash).to.equal(hash);
    for (const file of Object.keys(FILES)) {
      expect(planOf(edited([file, FILES[file]!, `${FILES[file]}\n`])).hash, file).to.not.equal(hash);
    }
  });

  it('tells channels that must restart by their fingerprints', () => {
    const before = outbound('north-out').fingerprint;
    expect(outbound('north-out', ['routes.yaml', 'maxInFlight: 4', 'maxInFlight: 5']).fingerprint).to.equal(
      before,
    );
    expect(outbound('north-out', ['routes.yaml', '201: taken', '200: taken']).fingerprint).to.equal(before);
    expect(outbound('north-out', ['routes.yaml', '/code\n', '/kode\n']).fingerprint).to.not.equal(before);
    const moved = compiled(FILES, { ...ENV, NORTH_URL: 'https://elsewhere.example' });
    expect(
      moved.kind === 'plan' && moved.plan.outbound.get('north-out' as ChannelName)!.fingerprint,
    ).to.not.equal(before);
  });
});

describe('the problems of a configuration', () => {
  it('are one when there is no routes.yaml', () => {
    expect(saidOf({}).map((problem) => formatProblem(problem))).to.deep.equal([
      'routes.yaml:1:1  error  routes.yaml is not there',
    ]);
  });

  it('are told for a routes.yaml that is empty or no mapping', () => {
    for (const text of [
      '',
      '# nothing yet\n',
      '42',
      '- a',
      'null',
      '{}',
      'systems:\nchannels:\nroutes:\nversion: 1',
    ]) {
      const result = compiled({ 'routes.yaml': text });
      expect(result.kind, text).to.equal('problems');
      expect(saidOf({ 'routes.yaml': text }), text).to.not.deep.equal([]);
    }
  });

  it('are said all at once, in the order of the file', () => {
    const said = saidOf(
      edited(
        ['routes.yaml', 'to: north-out', 'to: nroth-out'],
        ['routes.yaml', 'maxInFlight: 4', 'maxInflight: 4'],
        ['routes.yaml', 'timeout: 5s', 'timeout: soon'],
        ['routes.yaml', '${env:AMQP_URL}', '${env:AMPQ_URL}'],
        ['routes.yaml', 'event: booking.cancelled', 'event: booking.gone'],
        ['cancel.json.yaml', 'message.reason', 'message.why'],
      ),
    );
    expect(said.map(({ file, line }) => `${file}:${line}`)).to.deep.equal([
      'routes.yaml:3',
      'routes.yaml:24',
      'routes.yaml:25',
      'routes.yaml:47',
      'routes.yaml:53',
    ]);
  });

  it('never hold a secret', () => {
    const env = { AMQP_URL: 'not a url: hunter2', NORTH_URL: 'ftp://hunter2' };
    const said = compile({ ...inMemory(FILES), env, kinds });
    expect(said.kind).to.equal('problems');
    expect(JSON.stringify(said)).to.include('north-out.address').and.to.not.include('hunter2');
  });

  it('are not hidden by names that every object has', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      const said = saidOf(edited(['routes.yaml', 'from: dawy-in', `from: ${name}`]));
      expect(
        said.map(({ message }) => message),
        name,
      ).to.include(`${name} is not a channel`);
      const system = saidOf(edited(['routes.yaml', 'system: north', `system: ${name}`]));
      expect(
        system.map(({ message }) => message),
        name,
      ).to.include(`${name} is not a system`);
    }
  });

  it('are said at the value behind an alias of YAML', () => {
    const said = saidOf(
      edited(
        ['routes.yaml', 'hospital: north }', 'hospital: &h nrth }'],
        ['routes.yaml', '{ /status: NOTED }', '{ /status: *h }'],
      ),
    );
    expect(said.map(({ line, message }) => `${line} ${message}`)).to.deep.equal(['43 nrth is not a system']);
  });

  it('do not come from an alias that holds more than it should', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(20)}]\nc: &c [${'*b,'.repeat(20)}]\nd: [${'*c,'.repeat(20)}]\n`;
    expect(saidOf({ 'routes.yaml': bomb })).to.have.length(1);
  });

  it('show the line they are on', () => {
    const files = edited(['routes.yaml', 'timeout: 5s', 'timeout: soon']);
    const [problem] = saidOf(files);
    expect(formatProblem(problem!, files['routes.yaml']!)).to.equal(
      [
        'routes.yaml:24:14  error  channels.north-out.timeout must be a duration with its unit  Write it like 500ms, 10s, 5m or 24h.',
        '    24 |     timeout: soon',
        '       |              ^^^^',
      ].join('\n'),
    );
  });
});
