import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { compileText } from '../../../engine/forms/expression.ts';
import { codecs, compileTemplate } from '../../../engine/forms/index.ts';
import type { Scope, Template } from '../../../engine/forms/template.ts';
import { compileSchema, type Schema } from '../../../engine/stages/validate.ts';
import { refusal } from './refused.ts';
import { scopeOf } from './scope.ts';

/** As `transforms/README.md` describes it; what an answer becomes needs a whole route and is tested by `hisbridge test`. */
interface Fixture {
  readonly it: string;
  readonly route?: string;
  readonly channel?: string;
  readonly given: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly sends?: string;
  readonly envelope?: Readonly<Record<string, string>>;
  readonly refuses?: { readonly code: string; readonly at: string };
}

const ROOT = new URL('../../../', import.meta.url);
const text = (file: string): string => readFileSync(new URL(file, ROOT), 'utf8');
const ROUTES = parse(text('routes.yaml'));
const files = (pattern: string): readonly string[] => globSync(pattern, { cwd: ROOT }).sort();
const beside = (test: string, file: string): string =>
  file.includes('/') ? file : `${dirname(test)}/${file}`;

function template(file: string): Template {
  const result = compileTemplate(file, text(file), new Map());
  return result.kind === 'template' ? result.template : expect.fail(JSON.stringify(result.problems));
}

function schema(file: string): Schema {
  const result = compileSchema(file, text(file));
  return result.kind === 'schema' ? result.schema : expect.fail(JSON.stringify(result.problems));
}

/** The entry of `render:` in routes.yaml: the template, and what the channel is told beside it. */
function entryOf({ route, channel }: Fixture, type: string): Readonly<Record<string, string>> {
  const render =
    route === undefined ? ROUTES.channels[channel ?? ''].probe.render : ROUTES.routes[route].render;
  if (typeof render === 'string') return { template: render };
  return render.template === undefined ? render[type] : render;
}

function envelopeOf(entry: Readonly<Record<string, string>>, scope: Scope): Readonly<Record<string, string>> {
  const texts = Object.entries(entry).filter(([key]) => key !== 'template');
  return Object.fromEntries(
    texts.map(([key, value]) => {
      const result = compileText('routes.yaml', 1, 1, value, key === 'path' ? 'uri' : 'none', new Map());
      return [
        key,
        result.kind === 'text' ? result.render(scope) : expect.fail(JSON.stringify(result.problems)),
      ];
    }),
  );
}

function scope(message: { type: string; booking: unknown }, facts: Fixture['facts']): Scope {
  const { booking, type } = message;
  const reference =
    typeof booking === 'string' ? booking : (booking as { reference?: string } | undefined)?.reference;
  return { ...scopeOf(message, { reference, ...facts }), asked: { type } };
}

function check(test: string, fixture: Fixture): void {
  const message = codecs.json.decode(Buffer.from(text(beside(test, fixture.given)))) as never;
  const { type } = message;
  const { refuses, sends, facts } = fixture;
  if (refuses?.code === 'schema-violation') {
    expect(schema(`schemas/dawy/${type}.schema.json`).check(message)?.pointer).to.equal(refuses.at);
    return;
  }
  const entry = entryOf(fixture, type);
  const given = scope(message, facts);
  const file = entry['template'] ?? '';
  const render = (): string => Buffer.from(template(file).render(given)).toString('utf8');
  if (refuses !== undefined) {
    const error = refusal(() => [render(), envelopeOf(entry, given)]);
    expect({ code: error.code, at: error.details['path'] }).to.deep.equal(refuses);
    return;
  }
  if (fixture.envelope !== undefined) expect(envelopeOf(entry, given)).to.deep.equal(fixture.envelope);
  const expected = text(beside(test, sends ?? ''));
  if (file.endsWith('.json.yaml')) expect(JSON.parse(render())).to.deep.equal(JSON.parse(expected));
  else expect(render()).to.equal(expected);
}

describe('the transforms of the example network', () => {
  for (const test of files('transforms/*/*.test.yaml')) {
    describe(test, () => {
      for (const fixture of parse(text(test)) as readonly Fixture[]) {
        if (fixture.sends === undefined && fixture.refuses === undefined) continue;
        it(fixture.it, () => check(test, fixture));
      }
    });
  }

  it('each have a test', () => {
    for (const file of files('transforms/*/*.{json.yaml,xml.hbs}')) {
      const test = file.replace(/\.(json\.yaml|xml\.hbs)$/, '.test.yaml');
      expect(files(test), file).to.have.length(1);
    }
  });

  it('read only what the schemas of their messages describe', () => {
    for (const [route, channel] of [['to-alnoor'], ['to-stmary']].flatMap(([name]) =>
      Object.entries(ROUTES.routes[name ?? ''].render as Record<string, { template: string }>),
    )) {
      const { describes } = schema(`schemas/dawy/${route}.schema.json`);
      for (const { path, optional } of template(channel.template).reads) {
        if (path[0] !== 'message') continue;
        const presence = describes(path.slice(1));
        expect(presence, `${channel.template} ${path.join('.')}`).to.equal(optional ? 'sometimes' : 'always');
      }
    }
  });
});

describe('what Dawy sends and gets', () => {
  it('passes the schema of its type, unless it is an example of what is wrong', () => {
    for (const file of files('examples/dawy/*.json')) {
      const message = JSON.parse(text(file));
      const violation = schema(`schemas/dawy/${message.type}.schema.json`).check(message);
      const isWrong = file.includes('wrong.') && !file.includes('control-character');
      expect(violation !== null, `${file} ${violation?.message}`).to.equal(isWrong);
    }
  });

  it('is described for every event that the transforms make', () => {
    for (const file of files('transforms/dawy/*.expected.json')) {
      const event = JSON.parse(text(file));
      const name = event.type.startsWith('booking.') ? 'booking' : event.type;
      expect(schema(`schemas/dawy/events/${name}.schema.json`).check(event), file).to.equal(null);
    }
  });

  it('has a schema with an id of its own', () => {
    const ids = files('schemas/dawy/**/*.schema.json').map((file) => schema(file).id);
    expect(new Set(ids).size).to.equal(6);
    expect(ids).not.to.include(null);
  });
});
