import type { Problem } from '../plan.ts';

/** A place in a file, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The problems of one compilation, each said once. */
export interface Problems {
  add(problem: Problem): void;
  /** By file, line and column. */
  sorted(): readonly Problem[];
  /** Whether one of them forbids a plan. */
  fatal(): boolean;
}

export function problemList(): Problems {
  const byText = new Map<string, Problem>();
  return {
    add(problem) {
      const { file, line, column, message } = problem;
      byText.set(JSON.stringify([file, line, column, message]), problem);
    },
    sorted: () => [...byText.values()].sort(inReadingOrder),
    fatal: () => [...byText.values()].some(({ severity }) => severity === 'error'),
  };
}

function inReadingOrder(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

/**
 * One problem for the terminal: `file:line:column  error  what  Did you mean …?`, and the line it is on when
 * `text` is the file's. Lines of routes.yaml hold the names of secrets, never their values.
 */
export function formatProblem(problem: Problem, text: string | null = null): string {
  const { file, line, column, severity, message } = problem;
  const head = `${file}:${line}:${column}  ${severity}  ${message}`;
  const frame = text === null ? '' : codeFrame(text, problem);
  return `${head}${problem.instead === undefined ? '' : `  ${asSentence(problem.instead)}`}${frame}`;
}

function asSentence(instead: string): string {
  return /[.?!]$/.test(instead) ? instead : `Write ${instead} instead.`;
}

function codeFrame(text: string, { line, column }: Position): string {
  const shown = text.split(/\r?\n/)[line - 1];
  if (shown === undefined) return '';
  const number = String(line).padStart(6);
  const word = /^[^\s:,}\]]+/.exec(shown.slice(column - 1))?.[0] ?? '^';
  return `\n${number} | ${shown}\n${' '.repeat(6)} | ${' '.repeat(column - 1)}${'^'.repeat(word.length)}`;
}
