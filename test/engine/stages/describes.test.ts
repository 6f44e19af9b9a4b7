import { expect } from 'chai';
import { presence } from '../../../engine/stages/describes.ts';

const says = (schema: unknown, path: string): string => presence(schema, path === '' ? [] : path.split('.'));
const object = (properties: object, required: readonly string[] = []): object => ({
  type: 'object',
  properties,
  required,
});

describe('what a schema says of a path', () => {
  const schema = {
    ...object(
      {
        a: object({ b: { type: 'string' }, c: { type: 'string' } }, ['b']),
        d: object({ e: { type: 'string' } }, ['e']),
        open: { type: 'object' },
        list: { type: 'array', items: object({ x: { type: 'string' }, y: {} }, ['x']) },
        any: true,
        gone: { type: 'string', nullable: true },
        ref: { $ref: '#/definitions/r' },
        circle: { $ref: '#/properties/circle' },
      },
      ['a', 'list', 'gone', 'ref', 'any'],
    ),
    definitions: { r: object({ z: { type: 'string' } }, ['z']) },
  };

  const expected: Readonly<Record<string, string>> = {
    '': 'always',
    a: 'always',
    'a.b': 'always',
    'a.c': 'sometimes',
    'a.none': 'never',
    'a.b.c': 'never',
    d: 'sometimes',
    'd.e': 'sometimes',
    'open.x': 'sometimes',
    'list.*.x': 'always',
    'list.*.y': 'sometimes',
    'list.*.z': 'never',
    'list.x': 'never',
    'any.x': 'sometimes',
    'ref.z': 'always',
    'ref.q': 'never',
    'circle.x': 'sometimes',
    none: 'never',
    constructor: 'never',
  };
  for (const [path, answer] of Object.entries(expected)) {
    it(`${path || 'the root'} is ${answer} there`, () => expect(says(schema, path)).to.equal(answer));
  }

  it('adds up allOf, and takes oneOf and anyOf for alternatives', () => {
    const one = object({ a: { type: 'string' } }, ['a']);
    const other = object({ a: { type: 'string' }, b: { type: 'string' } }, ['a', 'b']);
    expect(says({ allOf: [object({ a: {} }), one] }, 'a')).to.equal('always');
    for (const keyword of ['oneOf', 'anyOf']) {
      expect(says({ [keyword]: [one, other] }, 'a')).to.equal('always');
      expect(says({ [keyword]: [one, other] }, 'b')).to.equal('sometimes');
      expect(says({ [keyword]: [one, other] }, 'c')).to.equal('never');
    }
    const conditional = JSON.parse(
      '{"if":{},"then":{"type":"object","properties":{"a":{}},"required":["a"]}}',
    );
    expect(says(conditional, 'a')).to.equal('sometimes');
  });

  it('knows names given by pattern or by type only', () => {
    expect(says({ type: 'object', patternProperties: { '^x-': {} } }, 'x-a')).to.equal('sometimes');
    expect(says({ type: 'object', patternProperties: { '^x-': {} } }, 'y')).to.equal('never');
    expect(says({ type: 'object', additionalProperties: { type: 'string' } }, 'y')).to.equal('sometimes');
  });
});
