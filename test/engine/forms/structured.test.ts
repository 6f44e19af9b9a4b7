import { expect } from 'chai';
import type { Scope } from '../../../engine/forms/template.ts';
import { refusal } from './refused.ts';
import { compiled, problemsOf, rendered, scopeOf } from './scope.ts';

const FILE = 'transforms/x/a.json.yaml';
const render = (text: string, scope: Scope = scopeOf({})): unknown => JSON.parse(rendered(FILE, text, scope));

describe('json templates', () => {
  it('keep literals as they are', () => {
    expect(render('{ a: 1, b: 1.5, c: true, d: null, e: text, f: [x, 2], g: "0012", h: {} }')).to.deep.equal({
      a: 1,
      b: 1.5,
      c: true,
      d: null,
      e: 'text',
      f: ['x', 2],
      g: '0012',
      h: {},
    });
  });

  it('keep the type of a text that is one expression', () => {
    const message = { n: 5, b: false, list: [1, { a: null }], object: { x: ['y'] }, text: '0012' };
    expect(
      render(
        "{ n: '{{message.n}}', b: '{{message.b}}', l: '{{message.list}}', o: '{{message.object}}', t: '{{message.text}}' }",
        scopeOf(message),
      ),
    ).to.deep.equal({ n: 5, b: false, l: [1, { a: null }], o: { x: ['y'] }, t: '0012' });
  });

  it('write text around expressions, unescaped', () => {
    const scope = scopeOf({ name: '"O\'Neill" <&>', n: 7 });
    expect(render("a: 'Visit of {{message.name}}, {{message.n}}'", scope)).to.deep.equal({
      a: 'Visit of "O\'Neill" <&>, 7',
    });
    expect(render("a: '{{#if message.none}}yes{{else}}no{{/if}}'", scope)).to.deep.equal({ a: 'no' });
    expect(refusal(() => render("a: 'x {{message.list}}'", scopeOf({ list: [] }))).code).to.equal(
      'render-failed',
    );
  });

  it('drop the key, or the item, of an absent optional value', () => {
    expect(
      render(
        "{ a: '{{optional message.x}}', b: ['{{optional message.x}}', 1], c: { d: '{{optional booking.slotEnd}}' } }",
      ),
    ).to.deep.equal({ b: [1], c: {} });
    expect(render("a: '{{default message.x 3}}'")).to.deep.equal({ a: 3 });
  });

  it('fail for what is absent, with the place in the file', () => {
    const error = refusal(() => render("a: 1\nb:\n  c: '{{booking.hospitalRef}}'"));
    expect(error.code).to.equal('fact-missing');
    expect(error.details).to.deep.equal({ file: FILE, line: 3, column: 9, path: 'booking.hospitalRef' });
  });

  it('make lists from lists', () => {
    const text =
      "slots: { $each: '{{message.slots}}', $do: { n: '{{@index}}', at: '{{this.at}}', ref: '{{../booking.reference}}' } }";
    expect(render(text, scopeOf({ slots: [{ at: 'a' }, { at: 'b' }] }))).to.deep.equal({
      slots: [
        { n: 0, at: 'a', ref: 'BK-1' },
        { n: 1, at: 'b', ref: 'BK-1' },
      ],
    });
    expect(compiled(FILE, text).reads.map(({ path }) => path.join('.'))).to.include('message.slots.*.at');
    expect(render("a: { $each: '{{optional message.none}}', $do: x }")).to.deep.equal({ a: [] });
    expect(refusal(() => render(text, scopeOf({ slots: 'no' }))).message).to.contain(
      'message.slots is not a list',
    );
  });

  it('keep __proto__ as a key like any other', () => {
    const message = JSON.parse('{"o":{"__proto__":{"admin":true}}}');
    expect(rendered(FILE, "__proto__: { a: 1 }\no: '{{message.o}}'", scopeOf(message))).to.equal(
      '{"__proto__":{"a":1},"o":{"__proto__":{"admin":true}}}',
    );
  });

  it('say the true place of a read in every style of text', () => {
    const text = [
      'plain: {a: "{{message.a}}"}',
      "single: 'it''s {{message.b}} and {{optional message.c}}'",
      'double: "tab\\t {{message.d}}"',
      'block: |',
      '  one {{message.e}}',
      '  two {{message.f}}',
      'folded: >-',
      '  one',
      '  {{message.g}}',
    ].join('\n');
    const lines = text.split('\n');
    const { reads } = compiled(FILE, text);
    expect(reads).to.have.length(7);
    for (const { path, line, column } of reads) {
      expect(lines[line - 1]?.slice(column - 1), path.join('.')).to.match(new RegExp(`^${path.join('\\.')}`));
    }
  });

  it('wrap a message that is as large and deep as a body may be', () => {
    let deep: unknown = 'x'.repeat(1_048_000);
    for (let level = 0; level < 64; level++) deep = { a: deep };
    const bytes = compiled(FILE, "a: [{ b: '{{message}}' }]").render(scopeOf(deep));
    expect(JSON.parse(Buffer.from(bytes).toString())).to.deep.equal({ a: [{ b: deep }] });
  });

  it('render the same bytes every time', () => {
    const template = compiled(FILE, "b: 1\na: '{{message.a}}'");
    const scope = scopeOf({ a: { z: 1, b: 2 } });
    expect(Buffer.from(template.render(scope)).toString()).to.equal('{"b":1,"a":{"z":1,"b":2}}');
    expect(template.render(scope)).to.deep.equal(template.render(scope));
  });
});

describe('problems of a json template', () => {
  const problem = (text: string): string => {
    const [first] = problemsOf(FILE, text);
    return `${first?.line}:${first?.column} ${first?.message} | ${first?.instead ?? ''}`;
  };

  it('include an expression without quotes', () => {
    expect(problem('a: 1\nb: {{message.b}}')).to.match(
      /^2:5 an expression stands here without quotes \| quotes/,
    );
  });

  it('include numbers that would come out as others', () => {
    for (const number of ['0012', '1e400', '1.10', '0x1F', '+5', '.inf', '12345678901234567890']) {
      expect(problem(`a: ${number}`), number)
        .to.contain('written differently')
        .and.to.contain(`'${number}'`);
    }
  });

  it('include YAML that is no tree of texts', () => {
    expect(problem('a: 1\na: 2')).to.match(/^2:1 .*unique/);
    expect(problem('a: &x 1\nb: *x')).to.contain('alias');
    expect(problem('a: !!binary aGk=')).to.not.equal('');
    expect(problem('a: [1')).to.match(/^1:/);
    expect(problem('1: a')).to.contain('a key must be a text');
    expect(problem("'{{message.a}}': a")).to.contain('a key must be a text');
  });

  it('include what is wrong inside an expression, at its place', () => {
    expect(problem("a: 'x {{mesage.b}}'")).to.equal('1:9 there is no mesage to read | message');
    expect(problem("a: '{{{message.b}}}'")).to.contain('three braces');
    expect(problem("a: { $each: 'x', $do: 1 }")).to.contain('$each takes one path');
    expect(problem("a: { $each: '{{message.x}}' }")).to.contain('$each and $do stand together');
  });
});
