import { expect } from 'chai';
import { differences } from '../../cli/fixtures/differences.ts';

const compare = (file: string, expected: string, got: string) =>
  differences(file, Buffer.from(expected), Buffer.from(got));

describe('comparing what is sent with what is expected', () => {
  it('compares JSON as a value: order and layout do not matter, types do', () => {
    expect(compare('a.json', '{"a":1,"b":[1,2]}', '{ "b": [1, 2], "a": 1 }')).to.deep.equal([]);
    expect(compare('a.json', '{"a":1}', '{"a":"1"}')).to.deep.equal([
      { at: '/a', expected: '1', got: '"1"' },
    ]);
  });

  it('names every place of JSON that differs, also what one of them lacks', () => {
    expect(compare('a.json', '{"a":{"b/c":1},"l":[1,2]}', '{"a":{},"l":[1],"n":null}')).to.deep.equal([
      { at: '/a/b~1c', expected: '1', got: null },
      { at: '/l/1', expected: '2', got: null },
      { at: '/n', expected: null, got: 'null' },
    ]);
  });

  it('ignores white space between elements of XML, prefixes and the order of attributes', () => {
    const one = '<a:e xmlns:a="urn:x" p="1" q="2">\n  <a:t>text</a:t>\n</a:e>';
    const other = '<?xml version="1.0"?><e xmlns="urn:x" q="2" p="1"><t>text</t></e>';
    expect(compare('a.xml', one, other)).to.deep.equal([]);
  });

  it('compares the text of an element exactly', () => {
    const [found] = compare('a.xml', '<e><t>a b</t></e>', '<e><t>a  b</t></e>');
    expect(found).to.deep.equal({ at: 'e/t', expected: '"a b" in e/t', got: '"a  b" in e/t' });
  });

  it('sees another namespace, another attribute and another order of elements', () => {
    expect(compare('a.xml', '<e xmlns="urn:x"/>', '<e xmlns="urn:y"/>')).to.have.length(1);
    expect(compare('a.xml', '<e a="1"/>', '<e a="2"/>')).to.have.length(1);
    expect(compare('a.xml', '<e><a/><b/></e>', '<e><b/><a/></e>')).to.have.length.greaterThan(0);
    expect(compare('a.xml', '<e><a/></e>', '<e><a/><b/></e>')).to.have.length(1);
  });

  it('compares anything else to the byte', () => {
    expect(compare('a.hl7', 'MSH|^~', 'MSH|^~')).to.deep.equal([]);
    expect(compare('a.hl7', 'MSH|^~', 'MSH|^~ ')).to.have.length(1);
  });

  it('calls bytes that are no JSON different, not broken', () => {
    expect(compare('a.json', '{}', 'nothing')).to.have.length(1);
  });
});
