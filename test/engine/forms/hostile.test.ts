import { expect } from 'chai';
import fc from 'fast-check';
import { compileText } from '../../../engine/forms/expression.ts';
import { json } from '../../../engine/forms/json/json.ts';
import { xml } from '../../../engine/forms/xml/xml.ts';
import { compiled, scopeOf } from './scope.ts';

const PIECES = [
  '"',
  "'",
  '\\',
  '\\"',
  ']]>',
  '<![CDATA[',
  '-->',
  '<!--',
  '<',
  '>',
  '&',
  '&amp;',
  '&#13;',
  '</a>',
  '<a>',
  '\r',
  '\n',
  '\r\n',
  '\t',
  '\u2028',
  '\u2029',
  '\u0085',
  '\u00a0',
  '\u200b',
  '\ufeff',
  '\u202e',
  '\u2066',
  '\u200f',
  '{{',
  '}}',
  '{{message.id}}',
  '{{{x}}}',
  '${x}',
  '%2F',
  '../',
  '😀',
  '👨‍👩‍👧',
  'ليلى مثال',
  'שם',
  'Nguyễn',
  '例',
  '0012345',
  '+966500000001',
  '1e5',
  '0x1F',
  '1.10',
  'null',
  'true',
  '__proto__',
  'constructor',
  ' ',
  '|',
  '^~\\&',
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'grapheme' })), { maxLength: 8 })
  .map((parts) => parts.join(''));

// biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 cannot say
const sayable = hostile.filter((text) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text));

const JSON_TEMPLATE = compiled(
  'a.json.yaml',
  "alone: '{{message.value}}'\nwithin: '[{{message.value}}]'\nlist: { $each: '{{message.list}}', $do: '{{this}}' }\nwhole: '{{message}}'",
);
const XML_TEMPLATE = compiled(
  'a.xml.hbs',
  '<a b="{{message.value}}"><v>{{message.value}}</v>{{#each message.list}}<i>{{this}}</i>{{/each}}<w>[{{message.value}}]</w></a>',
);

describe('hostile values', () => {
  it('come out of a json template as they went in', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const message = { value, list: [value, value] };
        const body = json.decode(JSON_TEMPLATE.render(scopeOf(message)));
        expect(body).to.deep.equal({
          alone: value,
          within: `[${value}]`,
          list: [value, value],
          whole: message,
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('come out of an xml template as they went in', () => {
    fc.assert(
      fc.property(sayable, (value) => {
        const body = xml.decode(XML_TEMPLATE.render(scopeOf({ value, list: [value, value] })));
        expect(body).to.deep.equal({ '@b': value, v: value, i: [value, value], w: `[${value}]` });
      }),
      { numRuns: 1000 },
    );
  });

  it('stay one component of a URI', () => {
    const text = compileText('routes.yaml', 1, 1, '/x/{{message.value}}/y', 'uri', new Map());
    fc.assert(
      fc.property(
        hostile.filter((value) => !['', '.', '..'].includes(value)),
        (value) => {
          const path = text.kind === 'text' ? text.render(scopeOf({ value })) : expect.fail('it compiles');
          const parts = new URL(`http://hospital.example${path}`).pathname.split('/');
          expect(parts).to.have.length(4);
          expect(decodeURIComponent(parts[2] ?? '')).to.equal(value);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('are read by both forms as they were written', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        expect(json.decode(Buffer.from(JSON.stringify({ value })))).to.deep.equal({ value });
      }),
    );
  });
});
