import type { FormCodec } from './form.ts';
import { json } from './json/json.ts';
import { compileStructured } from './structured.ts';
import type { CompileTemplate } from './template.ts';
import { compileTextTemplate, TEXT_FORMS } from './text.ts';
import { xml } from './xml/xml.ts';

/** Every form that can be read. */
export const codecs: Readonly<Record<'json' | 'xml', FormCodec>> = { json, xml };

/** Compiles a template file; its ending says what it renders. */
export const compileTemplate: CompileTemplate = (file, text, codes) => {
  if (file.endsWith('.json.yaml')) return compileStructured(file, text, codes);
  const ending = Object.keys(TEXT_FORMS).find((one) => file.endsWith(one));
  const form = ending === undefined ? undefined : TEXT_FORMS[ending];
  if (form !== undefined) return compileTextTemplate(file, text, codes, form);
  const endings = ['.json.yaml', ...Object.keys(TEXT_FORMS)].join(', ');
  const message = 'the ending of the file does not say what the template renders';
  const problem = { file, line: 1, column: 1, message, instead: endings, severity: 'error' } as const;
  return { kind: 'problems', problems: [problem] };
};
