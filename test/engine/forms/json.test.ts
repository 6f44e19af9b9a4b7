import { expect } from 'chai';
import fc from 'fast-check';
import { json } from '../../../engine/forms/json/json.ts';
import { describeCorpus } from './corpus.ts';
import { refusal } from './refused.ts';

const decode = (text: string): unknown => json.decode(Buffer.from(text));

function at(pointer: string, body: unknown): unknown {
  const path = json.compilePath(pointer);
  return typeof path === 'function' ? path(body) : expect.fail(path.problem);
}

describe('json', () => {
  it('reads what JSON.parse reads, as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(JSON.stringify(JSON.parse(text)) === text && !/\\ud[89a-f]/.test(text));
        fc.pre(!/[0-9.]{16}/.test(text));
        expect(decode(text)).to.deep.equal(JSON.parse(text));
      }),
    );
  });

  it('refuses whatever JSON.parse refuses', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '1',
      '-',
      '.',
      'e',
      'true',
      'null',
      ' ',
      '\\',
      '"',
      '\n',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(refusal(() => decode(text)).code).to.equal('body-unreadable');
          return;
        }
        // Of what JSON allows, only a name that stands twice is not ours.
        try {
          expect(decode(text)).to.deep.equal(expected);
        } catch (thrown) {
          expect(String(thrown)).to.contain('a name stands twice');
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('says where the error is and never what stands there', () => {
    const error = refusal(() => decode('{"patient": {"name": "Layla Example", oops}}'));
    expect(error.code).to.equal('body-unreadable');
    expect(error.details).to.deep.equal({ pointer: '/patient', line: 1, column: 39 });
    expect(error.message).to.contain('/patient').and.to.contain('line 1 column 39');
    expect(`${error.message}${JSON.stringify(error.details)}${error.cause}`).not.to.match(/Layla|oops/);
  });

  it('counts lines in the error', () => {
    expect(refusal(() => decode('{\n "a": 1,\n "b": x}')).details).to.include({
      pointer: '/b',
      line: 3,
      column: 7,
    });
  });

  it('refuses a number that would lose digits, with its pointer', () => {
    for (const number of [
      '9007199254740993',
      '-12345678901234567890',
      '1e400',
      '0.12345678901234567',
      '1e-400',
    ]) {
      const error = refusal(() => decode(`{"patient":{"id":${number}}}`));
      expect(error.code, number).to.equal('body-unreadable');
      expect(error.details['pointer'], number).to.equal('/patient/id');
      expect(error.message, number).to.contain('send it as text').and.not.to.contain(number);
    }
  });

  it('keeps numbers that survive, and text that looks like a number', () => {
    expect(decode('[9007199254740991, 1.5, 0.1, 1e3, -0.25, "0012", "+966", "1e5"]')).to.deep.equal([
      9007199254740991,
      1.5,
      0.1,
      1000,
      -0.25,
      '0012',
      '+966',
      '1e5',
    ]);
  });

  it('refuses a name that stands twice in one object', () => {
    expect(refusal(() => decode('{"a":{"id":"1","id":"2"}}')).details['pointer']).to.equal('/a/id');
  });

  it('keeps __proto__ as a name like any other', () => {
    const body = decode('{"__proto__":{"admin":true}}') as object;
    expect(Object.keys(body)).to.deep.equal(['__proto__']);
    expect(Object.getPrototypeOf(body)).to.equal(Object.prototype);
    expect('admin' in body).to.equal(false);
  });

  it('refuses bytes that are not UTF-8, and reads a byte order mark', () => {
    expect(refusal(() => json.decode(Buffer.from([0x22, 0xff, 0x22]))).code).to.equal('body-unreadable');
    expect(json.decode(Buffer.from('\ufeff{}'))).to.deep.equal({});
  });

  it('refuses a body that is too large before it reads it', () => {
    const error = refusal(() => json.decode(Buffer.from('not JSON at all'), { maxBytes: 10, maxDepth: 64 }));
    expect(error.code).to.equal('body-too-large');
    expect(error.details).to.deep.equal({ bytes: 15, maxBytes: 10 });
  });

  it('refuses a body that is too deep, however deep', () => {
    expect(decode('['.repeat(64) + ']'.repeat(64))).to.be.an('array');
    expect(refusal(() => decode('['.repeat(65) + ']'.repeat(65))).code).to.equal('body-too-deep');
    expect(refusal(() => decode('{"a":'.repeat(200_000))).code).to.equal('body-too-deep');
  });
});

describe('json paths', () => {
  // RFC 6901 section 5.
  const body = decode('{"foo":["bar","baz"],"":0,"a/b":1,"m~n":8,"c%d":2}');

  it('reads the examples of RFC 6901', () => {
    expect(at('', body)).to.equal(body);
    expect(at('/foo', body)).to.deep.equal(['bar', 'baz']);
    expect(at('/foo/0', body)).to.equal('bar');
    expect(at('/', body)).to.equal(0);
    expect(at('/a~1b', body)).to.equal(1);
    expect(at('/m~0n', body)).to.equal(8);
    expect(at('/c%d', body)).to.equal(2);
  });

  it('finds nothing where there is nothing', () => {
    for (const pointer of [
      '/bar',
      '/foo/2',
      '/foo/00',
      '/foo/-',
      '/foo/length',
      '/foo/0/0',
      '/toString',
      '/__proto__',
    ]) {
      expect(at(pointer, body), pointer).to.equal(undefined);
    }
  });

  it('says what is wrong with a path', () => {
    expect(json.compilePath('patient.id')).to.deep.equal({
      problem: 'a path into JSON starts with a slash: /patient/id',
    });
    expect(json.compilePath('/a~2')).to.have.property('problem').that.contains('tilde');
  });
});

describeCorpus('json-parsing', (name, bytes) => {
  // RFC 8259 lets a name stand twice; RFC 7493 and we do not.
  const accepted = name.startsWith('y_') && !name.includes('duplicated_key');
  if (name.startsWith('i_')) {
    it(`${name} is read or refused by name`, () => {
      if (name === 'i_structure_UTF-8_BOM_empty_object.json') expect(json.decode(bytes())).to.deep.equal({});
      else expect(refusal(() => json.decode(bytes())).code).to.equal('body-unreadable');
    });
  } else if (accepted) {
    it(`${name} is read as JSON.parse reads it`, () => {
      expect(json.decode(bytes())).to.deep.equal(JSON.parse(Buffer.from(bytes()).toString()));
    });
  } else {
    it(`${name} is refused`, () => {
      expect(refusal(() => json.decode(bytes())).code).to.match(/^body-(unreadable|too-deep)$/);
    });
  }
});
