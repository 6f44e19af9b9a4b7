import { expect } from 'chai';
import { textAt } from '../../../engine/forms/form.ts';
import { xml } from '../../../engine/forms/xml/xml.ts';
import { describeCorpus } from './corpus.ts';
import { refusal } from './refused.ts';

const decode = (text: string): unknown => xml.decode(Buffer.from(text));

function at(path: string, body: unknown): unknown {
  const compiled = xml.compilePath(path);
  return typeof compiled === 'function' ? compiled(body) : expect.fail(compiled.problem);
}

/** As a plain value, whatever the prototypes. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('xml', () => {
  it('reads elements by local name, with attributes, lists and text', () => {
    const body = decode(
      '<m:a xmlns:m="urn:x" m:kind="k"><m:b>1</m:b><b n="2">two</b><c><d/></c> <e x="1"/></m:a>',
    );
    expect(plain(body)).to.deep.equal({
      '@kind': 'k',
      b: ['1', { '@n': '2', '#text': 'two' }],
      c: { d: '' },
      e: { '@x': '1', '#text': '' },
    });
  });

  it('keeps every value as it is written: no number, no trimming', () => {
    for (const text of ['0012345', '+966500000001', '1e5', '0x1F', '1.10', '20260101', 'true', ' a ', '']) {
      expect(at('v', decode(`<a><v>${text}</v></a>`)), text).to.equal(text);
    }
  });

  it('decodes character references and entities once', () => {
    expect(decode('<a>Nguy&#7877;n &#x1F600; &amp;lt; &#38;amp; &apos;&quot; &#13;</a>')).to.equal(
      'Nguy\u1ec5n \u{1f600} &lt; &amp; \'" \r',
    );
    expect(at('@b', decode('<a b="1&#10;2&#9;3">x</a>'))).to.equal('1\n2\t3');
  });

  it('takes CDATA for text, and leaves comments and instructions out', () => {
    expect(decode('<a>x<![CDATA[<&]]>y<!-- no --><?no no?></a>')).to.equal('x<&y');
  });

  it('reads the charset the body declares', () => {
    const latin = Buffer.from('<?xml version="1.0" encoding="iso-8859-1"?><a>Jos\xe9</a>', 'latin1');
    expect(xml.decode(latin)).to.equal('Jos\u00e9');
    const wide = Buffer.from('\ufeff<?xml version="1.0" encoding="utf-16"?><a>\u0644\u064a</a>', 'utf16le');
    expect(xml.decode(wide)).to.equal('\u0644\u064a');
    expect(refusal(() => xml.decode(Buffer.from('<a>Jos\xe9</a>', 'latin1'))).code).to.equal(
      'body-unreadable',
    );
  });

  it('lets any name be an element', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
    const body = decode(`<a>${names.map((name) => `<${name}>${name}!</${name}>`).join('')}</a>`);
    for (const name of names) expect(at(name, body)).to.equal(`${name}!`);
    expect(at('isPrototypeOf', body)).to.equal(undefined);
    expect(at('isPrototypeOf', decode('<a>text</a>'))).to.equal(undefined);
  });

  it('refuses what is not well-formed, says where and never what', () => {
    const wrong = [
      '<a><b>Layla</a></b>',
      '<a>Layla</a><b/>',
      'Layla',
      '',
      '<a b="Layla" b="2"/>',
      '<x:a>Layla</x:a>',
      '<a>Layla \u0001</a>',
      '<a>Layla&#1;</a>',
      '<a>&Layla;</a>',
      '<a>Layla',
      '<a b=Layla/>',
      '<a>Layla & co</a>',
    ];
    for (const text of wrong) {
      const error = refusal(() => decode(text));
      expect(error.code, text).to.equal('body-unreadable');
      expect(error.message, text).to.match(/line \d+ column \d+/);
      expect(`${error.message}${JSON.stringify(error.details)}${error.cause}`, text).not.to.contain('Layla');
    }
  });

  it('refuses a document type in any spelling and charset, before it parses', () => {
    const attack = '<!DOCTYPE a [<!ENTITY lt "EVIL">]><a>&lt;</a>';
    for (const bytes of [
      Buffer.from(attack),
      Buffer.from(`\ufeff${attack}`, 'utf16le'),
      Buffer.from(`\ufeff${attack}`, 'utf16le').swap16(),
      Buffer.from(attack.toLowerCase()),
    ]) {
      const error = refusal(() => xml.decode(bytes));
      expect(error.code).to.equal('body-unreadable');
      expect(error.message).to.contain('DOCTYPE');
    }
  });

  it('refuses a body that is too large or too deep', () => {
    const nested = (levels: number): string => '<a>'.repeat(levels) + '</a>'.repeat(levels);
    expect(refusal(() => xml.decode(Buffer.from('<a></a>'), { maxBytes: 6, maxDepth: 9 })).code).to.equal(
      'body-too-large',
    );
    expect(decode(nested(64))).to.be.an('object');
    for (const levels of [65, 255, 300, 100_000]) {
      expect(refusal(() => decode(nested(levels))).code, String(levels)).to.equal('body-too-deep');
    }
  });

  it('reads a body full of entities and elements to the end', () => {
    expect(decode(`<a>${'&amp;'.repeat(100_000)}</a>`)).to.equal('&'.repeat(100_000));
    expect(at('b', decode(`<a>${'<b>x</b>'.repeat(50_000)}</a>`))).to.equal('x');
  });
});

describe('xml paths', () => {
  const body = decode(`<s:Envelope xmlns:s="urn:s" xmlns:m="urn:m"><s:Header/><s:Body>
    <m:MoveResponse><m:Appointment/><m:Appointment id="7"><m:Reference a="1">SM-000009</m:Reference></m:Appointment></m:MoveResponse>
  </s:Body></s:Envelope>`);

  it('leads to text, attributes and through any one element', () => {
    expect(at('Body/MoveResponse/Appointment/Reference', body)).to.equal('SM-000009');
    expect(at('Body/*/Appointment/Reference', body)).to.equal('SM-000009');
    expect(at('*/*/*/Reference', body)).to.equal('SM-000009');
    expect(at('Body/MoveResponse/Appointment/@id', body)).to.equal('7');
    expect(at('Body/MoveResponse/Appointment/Reference/@a', body)).to.equal('1');
  });

  it('finds nothing where there is nothing', () => {
    for (const path of [
      'Envelope',
      'Body/Fault/Code',
      'Body/Appointment',
      'Header/Code',
      'Body/*/Appointment/@x',
    ]) {
      expect(at(path, body), path).to.equal(undefined);
    }
  });

  it('gives no text for an element that holds elements', () => {
    const path = xml.compilePath('Body/MoveResponse');
    expect(typeof path === 'function' && textAt(path, body)).to.equal(undefined);
  });

  it('says what is wrong with a path', () => {
    const problem = (path: string): unknown => xml.compilePath(path);
    expect(problem('/Body/Fault')).to.have.property('problem').that.contains('Body/Fault');
    expect(problem('soap:Body')).to.have.property('problem').that.contains('without prefix: Body');
    expect(problem('@id/b')).to.have.property('problem').that.contains('can only end');
    for (const path of ['', 'a//b', 'a/b[1]', 'a/']) expect(problem(path), path).to.have.property('problem');
  });
});

describeCorpus('xml-attack', (name, bytes) => {
  it(`${name} is refused or inert`, () => {
    const text = Buffer.from(bytes()).toString('latin1');
    let body: unknown;
    try {
      body = xml.decode(bytes());
    } catch (thrown) {
      expect(thrown)
        .to.have.property('code')
        .that.matches(/^body-/);
      return;
    }
    // What is read was in the file already: nothing was fetched, nothing grew.
    expect(text).not.to.match(/<!DOCTYPE|<!ENTITY/i);
    const read = JSON.stringify(body);
    expect(read).not.to.contain('root:');
    expect(read.length).to.be.at.most(2 * text.length);
  });
});
