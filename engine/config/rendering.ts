import type { Facts } from '../facts.ts';
import type { CodeMaps, Scope, Template } from '../forms/template.ts';
import type { Message } from '../message.ts';
import type { Rendered } from '../route.ts';
import type { Compilation } from './compilation.ts';
import type { RenderConfig } from './config.ts';
import { compileEnvelope } from './envelope.ts';
import type { At } from './positions.ts';
import { readNamed } from './schemas.ts';
import { codeMapsOf } from './systems.ts';
import { checkReads, type Rendering } from './template-reads.ts';

/** Renders a message, whose body is decoded, with what is known of its booking. Throws a BridgeError. */
export type Renderer = (message: Message, facts: Facts) => Rendered;

/** What a template is rendered for. */
export interface Target {
  readonly channel: string;
  readonly kind: string;
  readonly system: string;
  /** The messages that reach it. */
  readonly renders: readonly Rendering[];
}

/** Compiles a template with its envelope; null, and problems, when it cannot be. */
export function compileRendering(
  compilation: Compilation,
  config: RenderConfig,
  at: At,
  target: Target,
): Renderer | null {
  // Its channel is not there, which is reported elsewhere: whose codes it may use is not known.
  const schema = compilation.kinds.get(target.kind)?.outbound?.envelope;
  if (schema === undefined) return null;
  const { template: file } = config;
  const { system, renders } = target;
  const codes = codeMapsOf(compilation, system);
  // A text alone is the template; its envelope is what its kind fills in by itself.
  const fileAt = compilation.yaml.textAt(at) === null ? [...at, 'template'] : at;
  const template = file === undefined ? null : templateAt(compilation, file, fileAt, { target, codes });
  const envelope = compileEnvelope(compilation, config, { schema, codes }, at);
  for (const { template: expression, placeOf } of envelope.embedded) {
    checkReads(compilation, { template: expression, renders, system, file: compilation.yaml.file, placeOf });
  }
  if (template === null) return null;
  return (message, facts) => {
    const scope = scopeOf(message, facts);
    return { body: template.render(scope), envelope: envelope.render(scope) };
  };
}

function templateAt(
  compilation: Compilation,
  file: string,
  at: At,
  { target, codes }: { readonly target: Target; readonly codes: CodeMaps },
): Template | null {
  const text = readNamed(compilation, file, at);
  if (text === null) return null;
  const compiled = compilation.tools.compileTemplate(file, text, codes);
  if (compiled.kind === 'problems') {
    for (const problem of compiled.problems) compilation.problems.add(problem);
    return null;
  }
  const { template } = compiled;
  const { system, renders } = target;
  checkReads(compilation, {
    template,
    renders,
    system,
    file,
    placeOf: ({ line, column }) => ({ line, column }),
  });
  return template;
}

function scopeOf(message: Message, { booking, edition, system }: Facts): Scope {
  return {
    message: message.body,
    booking: booking === null ? null : { ...booking },
    edition,
    system,
    received: { at: message.receivedAt.toISOString() },
    asked: { type: message.type },
  };
}
