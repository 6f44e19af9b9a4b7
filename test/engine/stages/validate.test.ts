import { expect } from 'chai';
import type { Problem } from '../../../engine/plan.ts';
import { compileSchema, type Schema } from '../../../engine/stages/validate.ts';

function compiled(node: object): Schema {
  const result = compileSchema('s.json', JSON.stringify(node));
  return result.kind === 'schema' ? result.schema : expect.fail(JSON.stringify(result.problems));
}

function problemsOf(text: string): readonly Problem[] {
  const result = compileSchema('s.json', text);
  return result.kind === 'problems' ? result.problems : expect.fail('it compiles');
}

const object = (properties: object, required: readonly string[] = []): object => ({
  type: 'object',
  properties,
  required,
});

describe('validate', () => {
  const schema = compiled({
    $id: 'urn:test:1',
    ...object(
      {
        patient: object(
          {
            id: { type: 'string', minLength: 1, maxLength: 5 },
            birthDate: { type: 'string', format: 'date' },
            phone: { type: 'string', pattern: '^[+0-9]+$', maxLength: 20 },
            'a/b~c': { type: 'integer', minimum: 1 },
          },
          ['id'],
        ),
        kind: { enum: ['urgent', 'routine'] },
        at: { type: 'string', format: 'date-time' },
        slots: { type: 'array', maxItems: 2, items: { type: 'string', maxLength: 5 } },
        either: { oneOf: [{ type: 'string', maxLength: 3 }, { type: 'integer' }] },
        strict: { ...object({ a: { type: 'string' } }), additionalProperties: false },
      },
      ['patient'],
    ),
  });

  const cases: readonly [body: unknown, pointer: string, rule: string, remedy: RegExp][] = [
    [{}, '/patient', 'required', /add "patient"/],
    [{ patient: {} }, '/patient/id', 'required', /add "id"/],
    [[], '', 'type', /type object/],
    [null, '', 'type', /type object/],
    [{ patient: { id: 12345 } }, '/patient/id', 'type', /type string/],
    [{ patient: { id: '' } }, '/patient/id', 'minLength', /at least 1/],
    [{ patient: { id: 'SECRET' } }, '/patient/id', 'maxLength', /at most 5/],
    [{ patient: { id: '1', birthDate: '2026-02-30' } }, '/patient/birthDate', 'format', /2026-12-02/],
    [{ patient: { id: '1', phone: 'SECRET' } }, '/patient/phone', 'pattern', /matches/],
    [{ patient: { id: '1', 'a/b~c': 0 } }, '/patient/a~1b~0c', 'minimum', />= 1/],
    [{ patient: { id: '1' }, kind: 'SECRET' }, '/kind', 'enum', /"urgent","routine"/],
    [{ patient: { id: '1' }, at: '2026-12-02T08:00:00' }, '/at', 'format', /offset/],
    [{ patient: { id: '1' }, slots: ['SECRET'] }, '/slots/0', 'maxLength', /at most 5/],
    [{ patient: { id: '1' }, slots: ['1', '2', '3'] }, '/slots', 'maxItems', /at most 2 items/],
    [{ patient: { id: '1' }, either: 'SECRET' }, '/either', 'oneOf', /one of those shapes/],
    [{ patient: { id: '1' }, strict: { SECRET: 1 } }, '/strict', 'additionalProperties', /leave out/],
  ];

  for (const [body, pointer, rule, remedy] of cases) {
    it(`says pointer, rule and remedy, and no value: ${rule} at ${pointer || 'the root'}`, () => {
      const violation = schema.check(body);
      expect(violation).to.include({ pointer, rule });
      expect(violation?.remedy).to.match(remedy);
      expect(violation?.message).to.contain(pointer || 'the body');
      expect(JSON.stringify(violation)).not.to.match(/SECRET|12345|2026-02-30/);
    });
  }

  it('lets a body pass that satisfies the schema, unchanged', () => {
    const body = Object.freeze({ patient: Object.freeze({ id: '007' }), other: 1 });
    expect(schema.check(body)).to.equal(null);
    expect(schema.id).to.equal('urn:test:1');
  });

  it('does not take an inherited property for one of the body', () => {
    const strange = compiled(object({ constructor: { type: 'string' } }, ['constructor']));
    expect(strange.check({})).to.include({ pointer: '/constructor', rule: 'required' });
  });

  it('stops at the first error, however many there are', () => {
    const violation = schema.check({ patient: { id: '1' }, slots: Array.from({ length: 100_000 }, () => 0) });
    expect(violation?.rule).to.equal('maxItems');
  });

  it('compiles the same id again', () => {
    expect(compiled({ $id: 'urn:test:1' }).id).to.equal('urn:test:1');
    expect(compiled({}).id).to.equal(null);
  });
});

describe('problems of a schema', () => {
  const problem = (text: string): string => {
    const [first] = problemsOf(text);
    return `${first?.line}:${first?.column} ${first?.message}`;
  };

  it('include JSON that cannot be read, at its place', () => {
    expect(problem('{\n "type": }')).to.match(/^2:10 /);
    expect(problem('[]')).to.contain('a schema is an object');
  });

  it('include words draft-07 does not know, at their place', () => {
    expect(problem('{\n  "type": "object",\n  "propertis": {}\n}')).to.match(/^3:3 .*propertis/);
    expect(problem('{"type":"string","format":"dat"}')).to.contain('dat');
    expect(problem('{\n"type":"strin"}')).to.match(/^2:8 /);
    expect(problem('{"type":"object","required":["a"]}')).to.contain('"a"');
    expect(problem('{"$ref":"#/definitions/none"}')).to.contain('#/definitions/none');
  });

  it('include everything that one hostile body could stop the engine with, all at once', () => {
    const text = JSON.stringify(
      object({
        a: { type: 'string', pattern: '^(a+)+$', maxLength: 10 },
        b: { type: 'string', pattern: '^a$' },
        c: { type: 'array', uniqueItems: true, items: { type: 'string' } },
      }),
      null,
      1,
    );
    const found = problemsOf(text);
    expect(found.map(({ line }) => text.split('\n')[line - 1]?.trim())).to.deep.equal([
      '"pattern": "^(a+)+$",',
      '"pattern": "^a$"',
      '"uniqueItems": true,',
    ]);
    expect(found.map(({ instead }) => instead)).to.not.include(undefined);
  });

  it('include a pattern that only an older dialect of expressions can read, by what is wrong with it', () => {
    const [found] = problemsOf(JSON.stringify({ type: 'string', pattern: '^(\\-|a)+$', maxLength: 10 }));
    expect(found?.message).to.contain('Invalid escape');
  });

  it('do not take data for schemas', () => {
    const node = {
      type: 'object',
      properties: { pattern: { type: 'string', enum: ['x'] } },
      default: { pattern: '(a+)+' },
    };
    expect(compiled(node).check({ pattern: 'x' })).to.equal(null);
  });
});
