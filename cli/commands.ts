import type { Command } from 'commander';
import { deadLetters } from './dead-letters.ts';
import { explain } from './explain.ts';
import { lint } from './lint.ts';
import { listen } from './listen.ts';
import { messages } from './messages.ts';
import { migrate } from './migrate.ts';
import { probe } from './probe.ts';
import { render } from './render.ts';
import { replay } from './replay.ts';
import { run } from './run.ts';
import { sandbox } from './sandbox.ts';
import { settle } from './settle.ts';
import { show } from './show.ts';
import { status } from './status.ts';
import { test } from './test.ts';
import { topology } from './topology.ts';
import { trigger } from './trigger.ts';

/** Every command, under the heads and in the order of the help. */
export const COMMANDS: Readonly<Record<string, readonly (() => Command)[]>> = {
  'Write a configuration:': [lint, test, explain, render],
  'Run it:': [run, migrate, topology],
  'Try it:': [trigger, listen, sandbox],
  'See what happens, and act on what stands still:': [
    status,
    show,
    messages,
    deadLetters,
    probe,
    settle,
    replay,
  ],
};
