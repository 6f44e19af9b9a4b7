import { ParseOption, XmlDocument, XmlParseError } from 'libxml2-wasm';
import { DEFAULT_LIMITS, type FormCodec } from '../form.ts';
import { checkSize, tooDeep, unreadable } from '../refusal.ts';
import { compileXmlPath } from './path.ts';
import { readTree } from './tree.ts';

/**
 * XML 1.0 with namespaces, in any charset it declares, without a document type. Decoded, an element is its text,
 * or an object of its children, attributes (`@name`) and text (`#text`); the root's own name is not kept.
 */
export const xml: FormCodec = {
  form: 'xml',
  decode(bytes, limits = DEFAULT_LIMITS) {
    checkSize(bytes, limits.maxBytes);
    refuseDocumentType(bytes);
    return readTree(wellFormed(bytes, limits.maxDepth), limits.maxDepth);
  },
  compilePath: compileXmlPath,
};

// Before any parser sees it: entities are how XML reads files and explodes, and no hospital needs them.
// Latin-1 without NUL shows the letters whatever Unicode encoding the body is in.
function refuseDocumentType(bytes: Uint8Array): void {
  const text = Buffer.from(bytes).toString('latin1').replaceAll('\0', '');
  if (/<!DOCTYPE/i.test(text)) throw unreadable('XML', 'it has a document type (DOCTYPE)', {});
}

const OPTIONS =
  ParseOption.XML_PARSE_NONET |
  ParseOption.XML_PARSE_NO_XXE |
  ParseOption.XML_PARSE_NO_SYS_CATALOG |
  ParseOption.XML_PARSE_NOCDATA;

/** The same document, proven well-formed, as plain UTF-8 text: character references and CDATA are resolved. */
function wellFormed(bytes: Uint8Array, maxDepth: number): string {
  const document = parsed(bytes, maxDepth);
  try {
    // A charset that hides the letters `<!DOCTYPE` from us, such as EBCDIC.
    if (document.dtd !== null) throw unreadable('XML', 'it has a document type (DOCTYPE)', {});
    return document.toString({ format: false, noDeclaration: true });
  } finally {
    document.dispose();
  }
}

function parsed(bytes: Uint8Array, maxDepth: number): XmlDocument {
  try {
    return XmlDocument.fromBuffer(bytes, { option: OPTIONS });
  } catch (thrown) {
    if (!(thrown instanceof XmlParseError)) throw thrown;
    const first = thrown.details.find(({ level }) => level > 1);
    // libxml2 itself stops at 256 levels.
    if (first?.message.startsWith('Excessive depth')) throw tooDeep(maxDepth);
    // What libxml2 says about it may quote the body.
    throw unreadable('XML', 'it is not well-formed', { line: first?.line ?? 1, column: first?.col ?? 1 });
  }
}
