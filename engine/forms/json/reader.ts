import { placeOf, tooDeep, unreadable } from '../refusal.ts';

export interface ReadOptions {
  readonly maxDepth: number;
  /** Called with the pointer and the offset of every value, from the outside in; for positions in files. */
  readonly onValue?: (pointer: string, offset: number) => void;
}

/**
 * Reads JSON text (RFC 8259) strictly and throws `body-unreadable` or `body-too-deep`. Our own reader and not
 * `JSON.parse`, because that quotes the text in its errors, builds values however deep they are, keeps the last
 * of two equal keys and rounds numbers without a word.
 */
export function readJson(text: string, options: ReadOptions): unknown {
  return new Reader(text, options).document();
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// Everything that may stand in a string as it is: no quote, no backslash, no control character.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what JSON forbids here
const PLAIN = /[^"\\\u0000-\u001f]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what JSON forbids here
const NOT_PLAIN = /[\\\u0000-\u001f]/;
const HEX = /[0-9a-fA-F]{4}/y;

class Reader {
  readonly #text: string;
  readonly #options: ReadOptions;
  readonly #path: (string | number)[] = [];
  #at = 0;

  constructor(text: string, options: ReadOptions) {
    this.#text = text;
    this.#options = options;
  }

  document(): unknown {
    const value = this.#value();
    if (this.#at < this.#text.length) throw this.#refuse('something follows the value');
    return value;
  }

  #value(): unknown {
    this.#skipSpace();
    if (this.#options.onValue !== undefined) this.#options.onValue(this.#pointer(), this.#at);
    const value = this.#bare();
    this.#skipSpace();
    return value;
  }

  #bare(): unknown {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      case undefined:
        throw this.#refuse('it ends where a value must stand');
      default:
        return this.#number();
    }
  }

  #object(): unknown {
    const object: Record<string, unknown> = {};
    this.#enter();
    if (this.#isEmpty('}')) return object;
    do {
      this.#skipSpace();
      const nameAt = this.#at;
      if (this.#text[this.#at] !== '"') throw this.#refuse('a name in quotes must stand here');
      const name = this.#string();
      this.#path.push(name);
      // Two readers of one body must not see two different values (RFC 7493 section 2.3).
      if (Object.hasOwn(object, name)) throw this.#refuse('a name stands twice in one object', nameAt);
      this.#skipSpace();
      if (this.#text[this.#at] !== ':') throw this.#refuse('a colon must stand here');
      this.#at++;
      define(object, name, this.#value());
      this.#path.pop();
    } while (this.#goesOn('}'));
    return object;
  }

  #array(): unknown {
    const array: unknown[] = [];
    this.#enter();
    if (this.#isEmpty(']')) return array;
    do {
      this.#path.push(array.length);
      array.push(this.#value());
      this.#path.pop();
    } while (this.#goesOn(']'));
    return array;
  }

  #enter(): void {
    if (this.#path.length >= this.#options.maxDepth) throw tooDeep(this.#options.maxDepth);
    this.#at++;
  }

  #isEmpty(close: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== close) return false;
    this.#at++;
    return true;
  }

  #goesOn(close: string): boolean {
    const next = this.#text[this.#at];
    if (next !== ',' && next !== close) throw this.#refuse(`a comma or ${close} must stand here`);
    this.#at++;
    return next === ',';
  }

  #string(): string {
    const start = this.#at;
    this.#at++;
    const plain = this.#plainString();
    if (plain !== null) return plain;
    let value = '';
    while (true) {
      value += this.#match(PLAIN) ?? '';
      const next = this.#text[this.#at];
      if (next === '"') break;
      if (next === undefined) throw this.#refuse('a text has no closing quote', start);
      if (next !== '\\') throw this.#refuse('a control character stands unescaped in a text');
      value += this.#escape();
    }
    this.#at++;
    // Half a surrogate pair is no character: no other form, and no database, could hold it.
    if (!value.isWellFormed()) throw this.#refuse('a text contains half of a surrogate pair', start);
    return value;
  }

  /** A text without escapes, as most are; null, and nothing is taken, when it must be read letter by letter. */
  #plainString(): string | null {
    const end = this.#text.indexOf('"', this.#at);
    if (end < 0) return null;
    const value = this.#text.slice(this.#at, end);
    if (NOT_PLAIN.test(value) || !value.isWellFormed()) return null;
    this.#at = end + 1;
    return value;
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    if (letter === 'u') {
      this.#at += 2;
      const hex = this.#match(HEX);
      if (hex === null) throw this.#refuse('four hexadecimal digits must follow \\u');
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const character = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (character === undefined) throw this.#refuse('JSON knows no such escape');
    this.#at += 2;
    return character;
  }

  #number(): number {
    const start = this.#at;
    const written = this.#match(NUMBER);
    if (written === null) throw this.#refuse('a value must stand here');
    if (!isExact(written)) {
      throw this.#refuse('a number has more digits than can be kept; send it as text', start);
    }
    return Number(written);
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#refuse('a value must stand here');
    this.#at += word.length;
    return value;
  }

  #skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return null;
    const found = this.#text.slice(this.#at, pattern.lastIndex);
    this.#at = pattern.lastIndex;
    return found;
  }

  #pointer(): string {
    return this.#path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  }

  #refuse(reason: string, offset = this.#at): ReturnType<typeof unreadable> {
    return unreadable('JSON', reason, { pointer: this.#pointer(), ...placeOf(this.#text, offset) });
  }
}

/** Space, tab, line feed or carriage return. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

function define(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  // Assigned, it would set the prototype of the object instead of a property.
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/**
 * Whether a number survives being read: an integer beyond 2^53 or a fraction of more than 15 digits (what a
 * double holds) would come out with other digits, and an identifier with other digits is another patient.
 */
function isExact(written: string): boolean {
  const value = Number(written);
  if (/^-?[0-9]+$/.test(written)) return Number.isSafeInteger(value);
  const [mantissa = ''] = written.toLowerCase().split('e');
  const digits = mantissa.replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '');
  return Number.isFinite(value) && digits.length <= 15 && (value !== 0 || digits === '');
}
