import { expect } from 'chai';
import { authoredPlan } from '../../cli/authoring.ts';
import { runFixtures } from '../../cli/fixtures/run.ts';
import { ConfigFolder, ROOT } from './folder.ts';

/** The transforms of the example network, each fixture a test of its own. */
const ran = await runFixtures(authoredPlan(ROOT), ROOT, { paths: [], update: false });

describe('the fixture tests of transforms/', () => {
  for (const { placed, differences } of ran.checked) {
    it(`${placed.file}: ${placed.fixture.it}`, () => {
      expect(differences).to.deep.equal([]);
    });
  }

  it('can all be read', () => {
    expect(ran.unreadable).to.deep.equal([]);
    expect(ran.checked.length).to.be.greaterThan(40);
  });

  it('go through every route and every template', () => {
    expect(ran.coverage?.routes.missing).to.deep.equal([]);
    expect(ran.coverage?.templates.missing).to.deep.equal([]);
  });
});

describe('hisbridge test', () => {
  const TEST = 'transforms/alnoor/request.test.yaml';
  let folder: ConfigFolder;

  beforeEach(() => {
    folder = new ConfigFolder();
  });
  afterEach(() => folder.remove());

  async function differencesOf(test: string, update = false) {
    folder.write(TEST, test);
    const { checked, unreadable } = await runFixtures(authoredPlan(folder.path), folder.path, {
      paths: [`${folder.path}/${TEST}`],
      update,
    });
    return [...checked.flatMap(({ differences }) => differences), ...unreadable];
  }

  const GIVEN = 'given: examples/dawy/booking-requested.alnoor.json';

  it('says by path what a template renders otherwise', async () => {
    folder.change('transforms/alnoor/request.json.yaml', 'message.doctor.id', 'message.patient.id');
    const found = await differencesOf(
      `- { it: asks, route: to-alnoor, ${GIVEN}, sends: request.expected.json }`,
    );
    expect(found).to.deep.equal([{ at: '/doctorId', expected: '"DR-881"', got: '"0012345"' }]);
  });

  it('says what follows from an answer otherwise', async () => {
    const found = await differencesOf(
      `- { it: x, route: to-alnoor, ${GIVEN}, answered: { status: 409, body: answer-slot-taken.json }, becomes: { delivery: dead, event: booking.confirmed } }`,
    );
    expect(found).to.deep.equal([
      { at: 'becomes/event', expected: '"booking.confirmed"', got: '"booking.rejected"' },
      { at: 'becomes/delivery', expected: '"dead"', got: '"delivered"' },
    ]);
  });

  it('checks what the booking learns from an answer', async () => {
    const learns = (hospitalRef: string) =>
      `- { it: x, route: to-alnoor, ${GIVEN}, answered: { status: 201, body: answer-booked.json }, becomes: { delivery: delivered, event: booking.confirmed, learnt: { hospitalRef: ${hospitalRef}, slotStart: "2026-12-02T08:00:00+03:00", slotEnd: "2026-12-02T08:30:00+03:00" } } }`;
    expect(await differencesOf(learns('AN-000017'))).to.deep.equal([]);
    expect(await differencesOf(learns('AN-1'))).to.deep.equal([
      { at: 'becomes/learnt/hospitalRef', expected: '"AN-1"', got: '"AN-000017"' },
    ]);
  });

  it('fails a refusal that was not expected, and an expected one that does not come', async () => {
    const without = '{ from: examples/dawy/booking-requested.alnoor.json, without: /patient/name }';
    const [refused] = await differencesOf(
      `- { it: x, route: to-alnoor, given: ${without}, sends: request.expected.json }`,
    );
    expect(refused).to.have.property('got').that.includes('schema-violation');
    const expected = await differencesOf(
      `- { it: x, route: to-alnoor, ${GIVEN}, refuses: { code: schema-violation } }`,
    );
    expect(expected).to.deep.equal([{ at: 'refuses', expected: 'schema-violation', got: 'it is rendered' }]);
  });

  it('takes things out of a message and changes them', async () => {
    const given =
      '{ from: examples/dawy/booking-requested.alnoor.json, without: [/note, /patient/name], set: { /patient/id: "007" } }';
    const [difference] = await differencesOf(
      `- { it: x, route: to-alnoor, given: ${given}, refuses: { code: schema-violation, at: /patient/name } }`,
    );
    expect(difference).to.equal(undefined);
  });

  it('tests the probe of a channel, and what its answer settles', async () => {
    folder.write(
      'transforms/stmary/found.xml',
      '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><FindAppointmentResponse><Found>true</Found></FindAppointmentResponse></e:Body></e:Envelope>',
    );
    const probes = (delivery: string) =>
      `- { it: x, channel: stmary-out, given: examples/dawy/booking-requested.stmary.json, answered: { status: 200, body: transforms/stmary/found.xml }, becomes: { delivery: ${delivery} } }`;
    expect(await differencesOf(probes('delivered'))).to.deep.equal([]);
    expect(await differencesOf(probes('queued'))).to.have.length(1);
  });

  it('writes the expected file with --update, after which the test passes', async () => {
    folder.change('transforms/alnoor/request.json.yaml', 'message.doctor.id', 'message.patient.id');
    const test = `- { it: asks, route: to-alnoor, ${GIVEN}, sends: request.expected.json }`;
    expect(await differencesOf(test, true)).to.deep.equal([]);
    expect(await differencesOf(test)).to.deep.equal([]);
    expect(JSON.parse(folder.read('transforms/alnoor/request.expected.json'))).to.have.property(
      'doctorId',
      '0012345',
    );
  });

  for (const [what, test, problem] of [
    [
      'an unknown key',
      `- { it: x, route: to-alnoor, ${GIVEN}, send: a.json }`,
      'send means nothing here. Did you mean sends?',
    ],
    ['nothing to check', `- { it: x, route: to-alnoor, ${GIVEN} }`, 'a test checks something'],
    ['no route', `- { it: x, ${GIVEN}, sends: a.json }`, 'a test names what is tested'],
    [
      'an answer without what follows',
      `- { it: x, route: to-alnoor, ${GIVEN}, answered: { status: 200 }, sends: a.json }`,
      'belong together',
    ],
    ['no list', 'it: x', 'a list of tests'],
    ['no YAML', '- { it: x', 'BAD_INDENT'],
  ] as const) {
    it(`does not pass over a test file with ${what}`, async () => {
      const [found] = await differencesOf(test);
      expect(found).to.have.property('problem');
      expect(found).to.have.property('line', 1);
      if (what !== 'no YAML') expect((found as { problem: string }).problem).to.include(problem);
    });
  }

  for (const [what, test, got] of [
    [
      'an unknown route',
      `- { it: x, route: to-nowhere, ${GIVEN}, sends: request.expected.json }`,
      'to-nowhere is not in routes.yaml',
    ],
    [
      'a message of another hospital',
      '- { it: x, route: to-alnoor, given: examples/dawy/booking-requested.stmary.json, sends: request.expected.json }',
      'to-alnoor does not take booking.requested for stmary',
    ],
    [
      'a file that is not there',
      '- { it: x, route: to-alnoor, given: gone.json, sends: request.expected.json }',
      'transforms/alnoor/gone.json is not there',
    ],
  ] as const) {
    it(`fails a test with ${what}, saying so`, async () => {
      const [found] = await differencesOf(test);
      expect(found).to.have.property('got').that.includes(got);
    });
  }
});
