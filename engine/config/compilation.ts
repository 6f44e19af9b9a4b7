import type { ChannelKind } from '../channel.ts';
import type { FormCodec } from '../forms/form.ts';
import type { CompileTemplate } from '../forms/template.ts';
import type { Problem, System } from '../plan.ts';
import type { Config, FormName } from './config.ts';
import type { At, YamlFile } from './positions.ts';
import type { Problems } from './problems.ts';
import type { Source } from './source.ts';

/** A JSON Schema, compiled, as `stages/validate.ts` makes it. */
export interface Schema {
  readonly id: string | null;
  check(body: unknown): null | {
    readonly pointer: string;
    readonly rule: string;
    readonly message: string;
    readonly remedy: string;
  };
  describes(pathFromRoot: readonly string[]): 'always' | 'sometimes' | 'never';
}

export type CompileSchema = (
  file: string,
  text: string,
) =>
  | { readonly kind: 'schema'; readonly schema: Schema }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

/** What turns forms, templates and schemas into functions. */
export interface Tools {
  readonly codecs: Readonly<Record<FormName, FormCodec>>;
  readonly compileTemplate: CompileTemplate;
  readonly compileSchema: CompileSchema;
}

/** Everything one compilation works with. */
export interface Compilation {
  readonly yaml: YamlFile;
  readonly config: Config;
  /** Reads and remembers every file that belongs to the plan. */
  readonly source: Source;
  readonly kinds: ReadonlyMap<string, ChannelKind>;
  /** By name, as it is written. */
  readonly systems: ReadonlyMap<string, System>;
  readonly tools: Tools;
  readonly problems: Problems;
}

/** Reports what is wrong with the value at a path of routes.yaml. */
export function reportValue(compilation: Compilation, at: At, message: string, instead?: string): void {
  report(compilation, { at, message, instead, key: false, severity: 'error' });
}

/** Reports what is wrong with the key that leads to a path of routes.yaml. */
export function reportKey(compilation: Compilation, at: At, message: string, instead?: string): void {
  report(compilation, { at, message, instead, key: true, severity: 'error' });
}

/** Says what is allowed and yet unlikely to be meant. */
export function warnKey(compilation: Compilation, at: At, message: string, instead?: string): void {
  report(compilation, { at, message, instead, key: true, severity: 'warning' });
}

interface Report {
  readonly at: At;
  readonly message: string;
  readonly instead: string | undefined;
  readonly key: boolean;
  readonly severity: Problem['severity'];
}

function report({ yaml, problems }: Compilation, { at, message, instead, key, severity }: Report): void {
  const position = key ? yaml.keyAt(at) : yaml.valueAt(at);
  problems.add({
    file: yaml.file,
    ...position,
    message,
    severity,
    ...(instead === undefined ? {} : { instead }),
  });
}
