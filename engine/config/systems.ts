import type { CodeMaps } from '../forms/template.ts';
import type { SystemName } from '../message.ts';
import type { System } from '../plan.ts';
import { type Compilation, reportValue } from './compilation.ts';
import type { Config, SystemConfig } from './config.ts';
import { parseYaml, type YamlFile } from './positions.ts';
import type { Problems } from './problems.ts';

const OF_ITS_OWN: readonly string[] = ['timeZone', 'codes'];

/** The systems of routes.yaml; secrets are in place. */
export function compileSystems({ systems }: Config): ReadonlyMap<SystemName, System> {
  const entries = Object.entries(systems).map(([name, config]): [SystemName, System] => [
    name as SystemName,
    {
      name: name as SystemName,
      timeZone: config?.timeZone ?? null,
      connections: connectionsOf(config ?? {}),
    },
  ]);
  return new Map(entries);
}

function connectionsOf(config: SystemConfig): Readonly<Record<string, string>> {
  const own = Object.entries(config).filter(([key]) => !OF_ITS_OWN.includes(key));
  return Object.fromEntries(
    own.flatMap(([kind, address]) => (address === undefined ? [] : [[kind, address]])),
  );
}

const PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s:]*:[^/@\s]+@/i;

/** Reports addresses that hold a password as it is: routes.yaml is kept with every plan. `written` is before secrets. */
export function refusePasswords(
  written: unknown,
  yaml: YamlFile,
  problems: Problems,
  at: readonly string[] = [],
  seen: Set<unknown> = new Set(),
): void {
  if (typeof written === 'string' && PASSWORD.test(written) && !/:\$\{[^}]*\}@/.test(written)) {
    const message = `${at.join('.')} holds a password`;
    const instead = `Put the address into an environment variable and write \${env:NAME} instead.`;
    problems.add({ file: yaml.file, ...yaml.valueAt(at), message, instead, severity: 'error' });
  }
  // An alias may lead back to where it stands.
  if (typeof written !== 'object' || written === null || seen.has(written)) return;
  seen.add(written);
  for (const [key, child] of Object.entries(written))
    refusePasswords(child, yaml, problems, [...at, key], seen);
}

/** The code maps in the folder that a system names: one file per map, our code to its code. */
export function codeMapsOf(compilation: Compilation, system: string): CodeMaps {
  const folder = compilation.config.systems[system]?.codes;
  if (folder === undefined) return new Map();
  const files = compilation.source.list(folder).filter((name) => name.endsWith('.yaml'));
  if (files.length === 0) {
    reportValue(
      compilation,
      ['systems', system, 'codes'],
      `${folder} holds no code map`,
      'Put one YAML file per map there.',
    );
  }
  return new Map(
    files.map((name) => [name.slice(0, -'.yaml'.length), codeMap(compilation, `${folder}/${name}`)]),
  );
}

function codeMap({ source, problems }: Compilation, file: string): ReadonlyMap<string, string> {
  const yaml = parseYaml(file, source.read(file) ?? '', problems);
  const { value } = yaml;
  const map = new Map<string, string>();
  if (value === undefined || value === null) return map;
  if (typeof value !== 'object' || Array.isArray(value)) {
    problems.add({
      file,
      line: 1,
      column: 1,
      message: 'a code map is a mapping',
      instead: 'our code: its code',
      severity: 'error',
    });
    return map;
  }
  for (const key of Object.keys(value)) {
    const code = yaml.textAt([key]);
    if (code === null || code === '') {
      const message = `${key} has no code`;
      problems.add({
        file,
        ...yaml.keyAt([key]),
        message,
        instead: 'Write one text after the colon.',
        severity: 'error',
      });
    } else {
      map.set(yaml.keyTextAt([key]), code);
    }
  }
  return map;
}
