import type { Command } from 'commander';
import { CATALOGUE } from '../engine/errors.ts';
import type { Done } from '../engine/operations/parts.ts';
import type { Decision } from '../engine/records.ts';
import { saidIn } from './given.ts';
import { FOLDER } from './help.ts';
import { whoActs } from './office.ts';
import { harmless } from './payload.ts';
import { CALLED, print, printJson, say } from './terminal.ts';

/** What every command that decides something must be told. */
export interface Deciding {
  readonly config: string;
  readonly reason: string;
  readonly json?: boolean;
}

/** Adds the options of a decision. */
export function decides(command: Command): Command {
  return command.option(...FOLDER).option('--json', 'print what was done as JSON');
}

/** Who decides, and why: kept in the audit. */
export function decisionOf({ reason }: Pick<Deciding, 'reason'>): Decision {
  return { by: whoActs(), reason: saidIn('--reason', reason) };
}

/** Says what was done to a delivery, and what to look at next. */
export function sayDone({ delivery, state, booking, refused }: Done, json: boolean): void {
  if (json) {
    printJson({
      delivery,
      state,
      booking,
      refused: refused === null ? null : { code: refused.code, detail: refused.message },
    });
    return;
  }
  const words = {
    delivered: 'is delivered: the hospital has it',
    'given-up': 'is given up: nothing more will be sent',
    queued: 'goes again: the same bytes under the same key',
  };
  print([
    `${delivery} ${words[state]}.`,
    ...(booking === null
      ? []
      : [`The booking went from ${booking.from ?? 'new'} to ${booking.to}; Dawy is told.`]),
    ...(refused === null
      ? []
      : [`The booking did not take it: ${harmless(refused.message)}. ${CATALOGUE[refused.code].remedy}`]),
  ]);
  say(`Look: ${CALLED} show ${delivery}`);
}
