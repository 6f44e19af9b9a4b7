import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Who may import whom: the first row whose folder a file is in. `kernel` is `engine/*.ts`. */
const TABLE: readonly {
  readonly files: RegExp;
  readonly ours: readonly RegExp[];
  readonly vendors: readonly string[];
}[] = [
  {
    files: /^engine\/(bridge|engine)\.ts$/,
    ours: [/^engine\//, /^channels\/index\.ts$/],
    vendors: ['node:crypto'],
  },
  { files: /^engine\/[^/]+\.ts$/, ours: [/^engine\/[^/]+\.ts$/], vendors: ['node:crypto'] },
  {
    files: /^engine\/config\//,
    ours: [/^engine\/[^/]+\.ts$/, /^engine\/(config|stages|forms)\//],
    vendors: ['yaml', 'ajv', 'node:crypto', 'node:fs', 'node:path'],
  },
  {
    files: /^engine\/(forms|stages)\//,
    ours: [/^engine\/[^/]+\.ts$/, /^engine\/(forms|stages)\//],
    vendors: [
      'fast-xml-parser',
      '@nodable/entities',
      'libxml2-wasm',
      'ajv',
      'ajv-formats',
      'handlebars',
      'iconv-lite',
      'yaml',
    ],
  },
  {
    files: /^engine\/store\//,
    ours: [/^engine\/[^/]+\.ts$/, /^engine\/store\//],
    vendors: [
      'pg',
      'node:buffer',
      'node:crypto',
      'node:fs',
      'node:fs/promises',
      'node:path',
      'node:url',
      'node:timers/promises',
    ],
  },
  { files: /^engine\/booking\//, ours: [/^engine\/[^/]+\.ts$/, /^engine\/booking\//], vendors: ['xstate'] },
  {
    files: /^engine\/(jobs|operations)\//,
    ours: [/^engine\/[^/]+\.ts$/, /^engine\/(jobs|operations)\//],
    vendors: ['pg-boss'],
  },
  {
    files: /^engine\/telemetry\//,
    ours: [/^engine\/[^/]+\.ts$/, /^engine\/telemetry\//],
    vendors: ['pino', 'prom-client', 'node:http', 'node:net'],
  },
  {
    files: /^channels\/index\.ts$/,
    ours: [/^engine\/[^/]+\.ts$/, /^channels\/[^/]+\/kind\.ts$/],
    vendors: [],
  },
  {
    files: /^channels\/amqp\//,
    ours: [/^engine\/[^/]+\.ts$/, /^engine\/forms\//, /^channels\/amqp\//],
    vendors: ['rascal', 'amqplib', 'node:events', 'node:crypto', 'node:util', 'node:timers/promises'],
  },
  {
    files: /^channels\/http\//,
    ours: [/^engine\/[^/]+\.ts$/, /^engine\/forms\//, /^channels\/http\//],
    vendors: ['undici'],
  },
  {
    files: /^channels\/(rest|soap)\//,
    ours: [/^engine\/[^/]+\.ts$/, /^engine\/forms\//, /^channels\/(http|rest|soap)\//],
    vendors: [],
  },
  { files: /^channels\/memory\//, ours: [/^engine\/[^/]+\.ts$/, /^channels\/memory\//], vendors: [] },
];

const FREE = /^(cli|sandbox|test|bench)\//;

describe('architecture', () => {
  const files = sources(ROOT).map((file) => relative(ROOT, file));

  it('lets every file import only what its folder may', () => {
    const breaches: string[] = [];
    for (const file of files.filter((name) => !FREE.test(name))) {
      const row = TABLE.find(({ files: pattern }) => pattern.test(file));
      for (const imported of importsOf(file)) {
        if (row === undefined || !mayImport(row, imported)) breaches.push(`${file} imports ${imported}`);
      }
    }
    expect(breaches).to.deep.equal([]);
  });

  it('keeps hospitals outside: the sandbox hospitals import nothing of the engine', () => {
    const breaches = files
      .filter((file) => file.startsWith('sandbox/hospitals/'))
      .flatMap((file) => importsOf(file).map((imported) => ({ file, imported })))
      .filter(({ imported }) => /^(engine|channels|cli)\//.test(imported));
    expect(breaches).to.deep.equal([]);
  });

  it('has SQL in the store and nowhere else', () => {
    const statement = /\b(select\s[\s\S]{0,80}\sfrom|insert into|delete from|update \w+ set)\s/i;
    const breaches = files
      .filter((file) => /^(engine|channels|cli)\//.test(file) && !file.startsWith('engine/store/postgres/'))
      .filter(
        (file) =>
          /[`'"]\s*(select|insert|update|delete|with)\b/i.test(read(file)) && statement.test(read(file)),
      );
    expect(breaches).to.deep.equal([]);
  });

  it('has time and chance from Clock and Random alone in the core, so that a run can be had again', () => {
    const core = /^engine\/([^/]+|(store|booking|forms|stages)\/[^/]+)\.ts$/;
    const sources = new Set(['engine/clock.ts', 'engine/random.ts', 'engine/failpoint.ts']);
    const own =
      /\b(setImmediate|setTimeout|setInterval|Date\.now|new Date\(\)|Math\.random|performance|hrtime|randomBytes|randomUUID)\b/;
    const breaches = files
      .filter((file) => core.test(file) && !sources.has(file))
      .flatMap((file) => own.exec(read(file))?.[0].replace(/^/, `${file} uses `) ?? []);
    expect(breaches).to.deep.equal([]);
  });

  it('has no index files but lists, and no folder that says nothing', () => {
    const indexes = files.filter((file) => file.endsWith('/index.ts'));
    expect(indexes.sort()).to.deep.equal(['channels/index.ts', 'engine/forms/index.ts']);
    expect(files.filter((file) => /\/(utils|helpers|common|lib|shared|types)\//.test(file))).to.deep.equal(
      [],
    );
  });
});

function mayImport(row: (typeof TABLE)[number], imported: string): boolean {
  if (/^(engine|channels|cli|sandbox|test|bench)\//.test(imported))
    return row.ours.some((pattern) => pattern.test(imported));
  return row.vendors.some((vendor) => imported === vendor || imported.startsWith(`${vendor}/`));
}

function importsOf(file: string): string[] {
  const found = [
    ...read(file).matchAll(
      /^(?:import|export)[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm,
    ),
  ];
  return found
    .map((match) => match[1] ?? match[2] ?? match[3] ?? '')
    .map((name) => (name.startsWith('.') ? join(dirname(file), name) : name));
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}
