import { expect } from 'chai';
import type { Scope } from '../../../engine/forms/template.ts';
import { refusal } from './refused.ts';
import { compiled, problemsOf, rendered, scopeOf } from './scope.ts';

const FILE = 'transforms/x/a.xml.hbs';
const render = (text: string, scope: Scope = scopeOf({})): string => rendered(FILE, text, scope);

describe('xml templates', () => {
  it('escape every value, in elements and attributes', () => {
    const scope = scopeOf({ name: `<O'Neill> & "co" ]]>\r\n\t{{x}}` });
    expect(render('<a b="{{message.name}}">{{message.name}}</a>', scope)).to.equal(
      '<a b="&lt;O&apos;Neill&gt; &amp; &quot;co&quot; ]]&gt;&#xD;&#xA;&#x9;{{x}}">' +
        '&lt;O&apos;Neill&gt; &amp; &quot;co&quot; ]]&gt;&#xD;&#xA;&#x9;{{x}}</a>',
    );
  });

  it('write numbers and booleans as they are', () => {
    expect(render('<a>{{message.n}} {{message.b}}</a>', scopeOf({ n: 0, b: false }))).to.equal(
      '<a>0 false</a>',
    );
  });

  it('refuse a value that XML cannot say, and name its path but not the value', () => {
    for (const value of ['bell\u0007', 'nul\u0000', 'half\ud800', 'none\uffff']) {
      const error = refusal(() => render('<a>\n{{message.note}}</a>', scopeOf({ note: value })));
      expect(error.code).to.equal('render-failed');
      expect(error.message).to.contain(`${FILE}:2:3: message.note`).and.not.to.contain(value);
    }
  });

  it('refuse to write an object or a list as text', () => {
    for (const value of [{ a: 1 }, ['a']]) {
      const error = refusal(() => render('<a>{{message.note}}</a>', scopeOf({ note: value })));
      expect(error.code).to.equal('render-failed');
      expect(error.message).to.contain('message.note is not a text');
    }
  });

  it('fail where the message has nothing, with file, line, column and path', () => {
    for (const message of [
      {},
      { patient: null },
      { patient: {} },
      { patient: { name: null } },
      { patient: 'x' },
      null,
    ]) {
      const error = refusal(() => render('<a>\n  <b>{{message.patient.name}}</b></a>', scopeOf(message)));
      expect(error.code).to.equal('render-failed');
      expect(error.details).to.deep.equal({ file: FILE, line: 2, column: 8, path: 'message.patient.name' });
    }
  });

  it('fail with fact-missing where the booking has nothing', () => {
    for (const booking of [null, {}, { hospitalRef: null }]) {
      const error = refusal(() => render('<a>{{booking.hospitalRef}}</a>', scopeOf({}, booking)));
      expect(error.code).to.equal('fact-missing');
      expect(error.details['path']).to.equal('booking.hospitalRef');
    }
  });

  it('see no property that a value inherits', () => {
    for (const path of ['constructor', 'toString', '__proto__', 'name.length', 'list.map']) {
      const scope = scopeOf({ name: 'x', list: [] });
      expect(refusal(() => render(`<a>{{message.${path}}}</a>`, scope)).code, path).to.equal('render-failed');
    }
  });

  it('leave out what is optional, and put defaults', () => {
    const text =
      '<a>{{optional message.note}}|{{default message.kind "a<b"}}|{{optional booking.slotEnd}}</a>';
    expect(render(text)).to.equal('<a>|a&lt;b|</a>');
    expect(render(text, scopeOf({ note: 'n', kind: 'k' }, { slotEnd: 's' }))).to.equal('<a>n|k|s</a>');
  });

  it('translate codes and never guess one', () => {
    const text = '<a>{{code "clinic" message.clinic}}</a>';
    expect(render(text, scopeOf({ clinic: 'cardiology' }))).to.equal('<a>C-17</a>');
    const error = refusal(() => render(text, scopeOf({ clinic: 'dermatology' })));
    expect(error.code).to.equal('code-missing');
    expect(error.message).to.contain('code map clinic has no entry dermatology');
    const odd = refusal(() => render(text, scopeOf({ clinic: '<Layla\n>' })));
    expect(odd.message).not.to.contain('Layla');
    expect(refusal(() => render(text)).code).to.equal('render-failed');
    expect(render('<a>{{code "clinic" (optional message.clinic)}}</a>')).to.equal('<a></a>');
    expect(render('<a>{{default (code "clinic" message.clinic) "none"}}</a>')).to.equal('<a>none</a>');
  });

  it('branch with if, unless, else and eq', () => {
    const text =
      '<a>{{#if message.note}}1{{else if (eq asked.type "booking.requested")}}2{{else}}3{{/if}}{{#unless message.note}}4{{/unless}}</a>';
    expect(render(text, scopeOf({ note: 'n' }))).to.equal('<a>1</a>');
    expect(render(text)).to.equal('<a>24</a>');
    expect(render(text, { ...scopeOf({ note: [] }), asked: { type: 'other' } })).to.equal('<a>34</a>');
  });

  it('repeat with each and step inside with with', () => {
    const scope = scopeOf({ slots: [{ at: '1' }, { at: '2' }], tags: ['<'], doctor: { id: 'DR-1' } });
    expect(
      render(
        '<a>{{#each message.slots}}<s n="{{@index}}" last="{{@last}}">{{at}}{{this.at}}{{../booking.reference}}{{@root.message.doctor.id}}</s>{{/each}}</a>',
        scope,
      ),
    ).to.equal('<a><s n="0" last="false">11BK-1DR-1</s><s n="1" last="true">22BK-1DR-1</s></a>');
    expect(render('<a>{{#each message.tags}}{{this}}{{/each}}</a>', scope)).to.equal('<a>&lt;</a>');
    expect(render('<a>{{#with message.doctor}}{{id}}{{/with}}</a>', scope)).to.equal('<a>DR-1</a>');
    expect(render('<a>{{#each (optional message.none)}}x{{else}}none{{/each}}</a>', scope)).to.equal(
      '<a>none</a>',
    );
    expect(refusal(() => render('<a>{{#each message.none}}x{{/each}}</a>', scope)).code).to.equal(
      'render-failed',
    );
    expect(refusal(() => render('<a>{{#each message.doctor}}x{{/each}}</a>', scope)).message).to.contain(
      'is not a list',
    );
    expect(
      refusal(() => render('<a>{{#each message.slots}}{{end}}{{/each}}</a>', scope)).details['path'],
    ).to.equal('message.slots.*.end');
  });

  it('never leave without being read again', () => {
    const error = refusal(() => render('<a>{{message.x}}', scopeOf({ x: 'Layla' })));
    expect(error.code).to.equal('output-invalid');
    expect(error.message).to.contain(FILE).and.not.to.contain('Layla');
    expect(refusal(() => render('<{{message.x}}/>', scopeOf({ x: 'a b="1"' }))).code).to.equal(
      'output-invalid',
    );
  });

  it('call no function, whatever a message holds', () => {
    let called = false;
    const call = (): string => {
      called = true;
      return 'x';
    };
    const message = { note: { toString: call }, make: call };
    expect(refusal(() => render('<a>{{message.make}}</a>', scopeOf(message))).code).to.equal('render-failed');
    expect(refusal(() => render('<a>{{message.note}}</a>', scopeOf(message))).code).to.equal('render-failed');
    expect(called).to.equal(false);
  });
});

describe('reads of a template', () => {
  it('name path, place and whether absence is allowed', () => {
    const text =
      '<a>\n {{message.a}}{{optional message.b.c}}\n {{#if message.d}}{{message.d}}{{message.e}}{{/if}}</a>';
    expect(compiled(FILE, text).reads).to.deep.equal([
      { path: ['message', 'a'], line: 2, column: 4, optional: false },
      { path: ['message', 'b', 'c'], line: 2, column: 26, optional: true },
      { path: ['message', 'd'], line: 3, column: 8, optional: true },
      { path: ['message', 'd'], line: 3, column: 21, optional: true },
      { path: ['message', 'e'], line: 3, column: 34, optional: false },
    ]);
  });

  it('follow loops, with and the way back out', () => {
    const text =
      '<a>{{#each message.slots}}{{start}}{{../system.name}}{{#with this.room}}{{floor}}{{/with}}{{/each}}{{message.list.[0].x}}</a>';
    expect(compiled(FILE, text).reads.map(({ path }) => path.join('.'))).to.deep.equal([
      'message.slots',
      'message.slots.*.start',
      'system.name',
      'message.slots.*.room',
      'message.slots.*.room.floor',
      'message.list.*.x',
    ]);
  });
});

describe('reads inside what may be absent', () => {
  const optional = (text: string): Record<string, boolean> =>
    Object.fromEntries(compiled(FILE, text).reads.map((read) => [read.path.join('.'), read.optional]));

  it('are no surprise once something around them has looked', () => {
    expect(optional('<a>{{#if message.p}}{{message.p.x}}{{message.q}}{{/if}}</a>')).to.deep.equal({
      'message.p': true,
      'message.p.x': true,
      'message.q': false,
    });
    expect(
      optional('<a>{{#unless message.p}}{{message.p}}{{else}}{{message.p.x}}{{/unless}}</a>'),
    ).to.deep.equal({
      'message.p': false,
      'message.p.x': true,
    });
    expect(
      optional('<a>{{#each (optional message.s)}}{{at}}{{/each}}{{#with message.w}}{{x}}{{/with}}</a>'),
    ).to.deep.equal({
      'message.s': true,
      'message.s.*.at': true,
      'message.w': false,
      'message.w.x': false,
    });
  });
});

describe('problems of a template', () => {
  const problem = (text: string): string => {
    const [first] = problemsOf(FILE, text);
    return `${first?.line}:${first?.column} ${first?.message} | ${first?.instead ?? ''}`;
  };

  it('are all found at once', () => {
    expect(problemsOf(FILE, '<a>{{{message.a}}}{{> part}}{{mesage.a}}</a>')).to.have.length(3);
  });

  it('say what to write instead', () => {
    expect(problem('<a>\n{{mesage.name}}</a>')).to.equal('2:3 there is no mesage to read | message');
    expect(problem('<a>{{booking.hospitalref}}</a>')).to.contain('| booking.hospitalRef');
    expect(problem('<a>{{edition.key.x}}</a>')).to.contain('edition.key is a text');
    expect(problem('<a>{{optinal message.a}}</a>')).to.equal('1:6 there is no helper optinal | optional');
    expect(problem('<a>{{code "clinics" message.a}}</a>')).to.contain(
      'there is no code map clinics | clinic',
    );
    expect(problem('<a>{{code message.b message.a}}</a>')).to.contain('in quotes');
    expect(problem('<a>{{optional}}</a>')).to.contain('optional takes 1');
    expect(problem('<a>{{optional message.a message.b}}</a>')).to.contain('optional takes 1');
    expect(problem('<a>{{#list message.a}}{{/list}}</a>')).to.contain('there is no block list');
    expect(problem('<a>{{this}}</a>')).to.contain('everything at once');
    expect(problem('<a>{{@index}}</a>')).to.contain('inside each only');
    expect(problem('<a>{{../message.a}}</a>')).to.contain('leads out of the template');
    expect(problem('<a>{{#each message.a as |x|}}{{/each}}</a>')).to.contain('| this');
  });

  it('include everything that would let a value write the message', () => {
    for (const text of [
      '{{{message.a}}}',
      '{{&message.a}}',
      '{{> (lookup message "a")}}',
      '{{> part}}',
      '{{#> part}}{{/part}}',
      '{{* part}}',
      '{{{{raw}}}}{{{{/raw}}}}',
    ]) {
      expect(problemsOf(FILE, `<a>${text}</a>`), text).to.have.length.greaterThan(0);
    }
    expect(problem('<a>\n <![CDATA[{{message.a}}]]></a>')).to.match(/^2:2 in CDATA/);
    expect(problem('<!DOCTYPE a><a/>')).to.contain('document type');
  });

  it('include a template that cannot be parsed, with its line', () => {
    expect(problem('<a>\n{{#if message.a}}</a>')).to.match(/^2:1 .*never closed/);
    expect(problem('<a>\n{{message.a</a>')).to.match(/^2:1 the expression cannot be read/);
    expect(problem('<a>\n{{#if message.a}}{{/each}}</a>')).to.match(/^2:\d+ if doesn't match each/);
  });

  it('include a file whose ending says nothing', () => {
    expect(problemsOf('a.hbs', 'x')[0]?.instead).to.equal('.json.yaml, .xml.hbs');
  });
});
