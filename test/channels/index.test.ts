import { readFileSync } from 'node:fs';

import { Ajv } from 'ajv';
import { expect } from 'chai';
import { parse } from 'yaml';

import { channelKinds } from '../../channels/index.ts';
import type { OptionsSchema } from '../../engine/channel.ts';

// What every channel has is said once, by the compiler of routes.yaml.
const COMMON = [
  'system',
  'kind',
  'read',
  'timeout',
  'maxInFlight',
  'repeats',
  'verdicts',
  'probe',
  'maxBytes',
];

// The formats are the compiler's; here it is enough that they are its.
const AJV = {
  strictTypes: false,
  strictRequired: false,
  formats: { duration: true, size: true, uri: true },
} as const;

interface Property {
  readonly description?: string;
}

function propertiesOf(schema: OptionsSchema): Readonly<Record<string, Property>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, Property>>;
}

describe('channel kinds', () => {
  it('have names of their own', () => {
    const kinds = channelKinds.map(({ kind }) => kind);

    expect(kinds).to.include.members(['rest', 'soap']);
    expect(new Set(kinds).size).to.equal(kinds.length);
  });

  for (const { kind, inbound, outbound } of channelKinds) {
    const sides = { 'inbound options': inbound?.options, 'outbound options': outbound?.options };
    for (const [side, schema] of Object.entries({ ...sides, envelope: outbound?.envelope })) {
      if (schema === undefined) continue;

      it(`${kind} describes its ${side} in a schema that compiles and refuses what it does not know`, () => {
        new Ajv(AJV).compile(schema);

        expect(schema['additionalProperties']).to.equal(false);
        for (const [name, { description }] of Object.entries(propertiesOf(schema))) {
          expect(description, `${name} without a description`).to.match(/\.$/);
          if (side !== 'envelope') expect(COMMON, 'a key that every channel has').not.to.include(name);
        }
      });
    }
  }

  it('take the channels of the example network', () => {
    const { channels } = parse(readFileSync(new URL('../../routes.yaml', import.meta.url), 'utf8'));

    for (const name of ['alnoor-out', 'stmary-out']) {
      const { kind, ...rest } = channels[name] as Record<string, string>;
      const own = Object.fromEntries(Object.entries(rest).filter(([key]) => !COMMON.includes(key)));
      const outbound = channelKinds.find((one) => one.kind === kind)?.outbound;
      const valid = new Ajv(AJV).compile(outbound!.options);

      expect(valid({ ...own, address: 'http://127.0.0.1:1' }), JSON.stringify(valid.errors)).to.equal(true);
    }
  });
});
