import type { FormCodec } from './form.ts';
import { type Compilation, type Escape, OUTERMOST, outermost, report } from './handlebars/compilation.ts';
import { compileProgram } from './handlebars/program.ts';
import { readAgain } from './output.ts';
import { placeOf } from './refusal.ts';
import type { CodeMaps, CompiledTemplate } from './template.ts';
import { escapeXml } from './xml/escape.ts';
import { xml } from './xml/xml.ts';

/** A form that is written as text: how its values are escaped, how it is read again, and what it must not hold. */
interface TextForm {
  readonly codec: FormCodec;
  readonly escape: Escape;
  readonly forbidden: readonly {
    readonly text: string;
    readonly message: string;
    readonly instead: string;
  }[];
}

/** By the ending of the file. */
export const TEXT_FORMS: Readonly<Record<string, TextForm>> = {
  '.xml.hbs': {
    codec: xml,
    escape: escapeXml,
    forbidden: [
      {
        text: '<![CDATA[',
        message: 'in CDATA an escaped value would arrive escaped',
        instead: 'the text without CDATA: values are escaped',
      },
      {
        text: '<!DOCTYPE',
        message: 'XML with a document type is refused',
        instead: 'the document without it',
      },
    ],
  },
};

/** Compiles a template that is text with expressions in it. */
export function compileTextTemplate(
  file: string,
  text: string,
  codes: CodeMaps,
  form: TextForm,
): CompiledTemplate {
  const compilation: Compilation = { file, codes, reads: [], problems: [] };
  for (const { text: forbidden, message, instead } of form.forbidden) {
    const at = text.indexOf(forbidden);
    if (at >= 0) report(compilation, placeOf(text, at), message, instead);
  }
  const { write } = compileProgram(text, OUTERMOST, {
    compilation,
    escape: form.escape,
    locate: ({ line, column }) => ({ line, column: column + 1 }),
  });
  const { problems, reads } = compilation;
  if (problems.length > 0) return { kind: 'problems', problems };
  return {
    kind: 'template',
    template: { file, reads, render: (scope) => readAgain(file, form.codec, write(outermost(scope))) },
  };
}
