import { XMLParser } from 'fast-xml-parser';
import { tooDeep } from '../refusal.ts';
import { TEXT, type XmlValue } from './path.ts';

// How the parser names things in its tree.
const ATTRIBUTES = ':@';
const ELEMENT = '<';

// Parsed values would lose leading zeros and `+`; `preserveOrder` is the only shape in which one child and many
// look alike. Its own limits are off: the text comes from libxml2, within our size, nested 256 deep at most.
const PARSER = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  // What libxml2 writes are the five entities of XML and references such as `&#13;`, which are decoded only so.
  htmlEntities: true,
  processEntities: { enabled: true, maxTotalExpansions: Infinity, maxExpandedLength: Infinity },
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: 300,
  // It refuses `constructor` and renames `toString`; marked, every name is allowed, and none is taken for ours.
  transformTagName: (name) => (name.startsWith(ELEMENT) ? name : ELEMENT + localName(name)),
});

type Node = Readonly<Record<string, unknown>>;

/** The tree of a document that is known to be well-formed. */
export function readTree(text: string, maxDepth: number): XmlValue {
  const nodes = PARSER.parse(text) as readonly Node[];
  const root = nodes.find((node) => elementName(node) !== undefined) ?? {};
  return element(root, maxDepth, maxDepth);
}

function elementName(node: Node): string | undefined {
  return Object.keys(node).find((key) => key.startsWith(ELEMENT));
}

function element(node: Node, levels: number, maxDepth: number): XmlValue {
  if (levels === 0) throw tooDeep(maxDepth);
  const members: Record<string, XmlValue | XmlValue[]> = Object.create(null);
  for (const [name, value] of Object.entries((node[ATTRIBUTES] ?? {}) as Record<string, string>)) {
    if (name !== '@xmlns' && !name.startsWith('@xmlns:')) members[`@${localName(name.slice(1))}`] ??= value;
  }
  const children = node[elementName(node) ?? ''] as readonly Node[];
  let text = '';
  for (const child of children) {
    const name = elementName(child);
    if (name === undefined) text += String(child[TEXT]);
    else add(members, name.slice(1), element(child, levels - 1, maxDepth));
  }
  return withText(members, text);
}

function withText(members: Record<string, XmlValue | XmlValue[]>, text: string): XmlValue {
  const names = Object.keys(members);
  if (names.length === 0) return text;
  // Between children, white space is layout.
  const isLayout = names.some((name) => !name.startsWith('@')) && text.trim() === '';
  if (!isLayout) members[TEXT] = text;
  return members;
}

function add(members: Record<string, XmlValue | XmlValue[]>, name: string, value: XmlValue): void {
  const before = members[name];
  if (before === undefined) members[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else members[name] = [before, value];
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);
