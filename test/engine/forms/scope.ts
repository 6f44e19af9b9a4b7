import { expect } from 'chai';
import { compileTemplate } from '../../../engine/forms/index.ts';
import type { CodeMaps, Scope, Template } from '../../../engine/forms/template.ts';
import type { Problem } from '../../../engine/plan.ts';

/** What a template reads in a test. */
export function scopeOf(
  message: unknown,
  booking: Record<string, unknown> | null = { reference: 'BK-1' },
): Scope {
  return {
    message,
    booking,
    edition: { key: 'TEST-KEY' },
    system: { name: 'alnoor', timeZone: null },
    received: { at: '2026-01-01T00:00:00.000Z' },
    asked: { type: 'booking.requested' },
  };
}

export const CODES: CodeMaps = new Map([['clinic', new Map([['cardiology', 'C-17']])]]);

export function compiled(file: string, text: string): Template {
  const result = compileTemplate(file, text, CODES);
  return result.kind === 'template' ? result.template : expect.fail(JSON.stringify(result.problems));
}

export function problemsOf(file: string, text: string): readonly Problem[] {
  const result = compileTemplate(file, text, CODES);
  return result.kind === 'problems' ? result.problems : expect.fail('it compiles');
}

export function rendered(file: string, text: string, scope: Scope): string {
  return Buffer.from(compiled(file, text).render(scope)).toString('utf8');
}
