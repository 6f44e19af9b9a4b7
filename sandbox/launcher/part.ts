import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { BridgeError } from '../../engine/errors.ts';
import type { Log } from '../servers/server.ts';
import { type Child, type Ended, startChild } from './child.ts';
import { Pauses } from './pauses.ts';

/** What a process said when it was ready: its line of JSON. */
export type Ready = Readonly<Record<string, unknown>>;

export interface PartOptions {
  readonly name: string;
  /** The program and its arguments, for the Node we run on. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether this line of JSON says that it is ready. */
  isReady(line: Ready): boolean;
  /** Every other line of JSON. */
  readonly onEvent?: (event: Ready) => void;
  readonly say: Log;
  readonly graceMs: number;
}

/**
 * A process of the sandbox that is started again whenever it ends by itself, with longer pauses while it keeps ending.
 * Everything it prints is kept in `<folder>/<name>.log`.
 */
export class Part {
  readonly #options: PartOptions;
  readonly #log: WriteStream;
  readonly #stopping = new AbortController();
  #child: Child | null = null;
  #watched: Promise<void> = Promise.resolve();

  private constructor(options: PartOptions) {
    this.#options = options;
    this.#log = createWriteStream(join(options.folder, `${options.name}.log`), { flags: 'a', mode: 0o600 });
  }

  /** Resolves with the part and its first words once it is ready. Throws, with what it printed, when it ends before that. */
  static async start(options: PartOptions): Promise<{ readonly part: Part; readonly ready: Ready }> {
    const part = new Part(options);
    const run = part.#run();
    const ready = await run.ready;
    if (ready === null) {
      const { how } = await run.child.ended;
      const words = [`${options.name} did not start (${how}):`, ...run.complaints()];
      throw new BridgeError('not-allowed', words.join('\n  '));
    }
    part.#watched = part.#watch(run.child.ended, performance.now());
    return { part, ready };
  }

  /** Ends it in order, for good. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#child?.stop(this.#options.graceMs);
    await this.#watched;
    this.#log.end();
  }

  async #watch(ended: Promise<Ended>, since: number): Promise<void> {
    const { name, say } = this.#options;
    const { signal } = this.#stopping;
    let current: { ended: Promise<Ended>; since: number } = { ended, since };
    const pauses = new Pauses();
    for (;;) {
      const { how } = await current.ended;
      if (signal.aborted) return;
      const pauseMs = pauses.afterRunOf(performance.now() - current.since);
      say(`${name} ended by itself (${how}). Starting it again in ${pauseMs / 1000} s.`);
      // Ended early only by the stop, which is looked at next.
      await delay(pauseMs, null, { signal }).catch(() => null);
      if (signal.aborted) return;
      const run = this.#run();
      current = { ended: run.child.ended, since: performance.now() };
      const ready = await run.ready;
      if (ready !== null) say(`${name} runs again (process ${run.child.pid}).`);
      else if (!signal.aborted) for (const line of run.complaints()) say(`  ${line}`);
    }
  }

  #run(): { readonly child: Child; readonly ready: Promise<Ready | null>; complaints(): readonly string[] } {
    const { name, args, cwd, folder, env, isReady, onEvent } = this.#options;
    const complaints: string[] = [];
    const { promise: ready, resolve } = Promise.withResolvers<Ready | null>();
    const keep = (line: string) => {
      complaints.push(line);
      if (complaints.length > 20) complaints.shift();
    };
    const child = startChild({
      name,
      command: process.execPath,
      args,
      cwd,
      folder,
      ...(env === undefined ? {} : { env }),
      onLine: (line) => {
        this.#log.write(`${line}\n`);
        const event = objectIn(line);
        if (event === null) keep(line);
        else if (isReady(event)) resolve(event);
        else onEvent?.(event);
      },
      onErrorLine: (line) => {
        this.#log.write(`${line}\n`);
        keep(line);
      },
    });
    this.#child = child;
    void child.ended.then(() => resolve(null));
    return { child, ready, complaints: () => complaints };
  }
}

function objectIn(line: string): Ready | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as Ready;
  } catch {
    return null;
  }
}
