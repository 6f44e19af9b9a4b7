import { type ChildProcess, fork } from 'node:child_process';
import { openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CHECKOUT } from '../sandbox/environment.ts';
import { MARKER } from '../sandbox/launcher/child.ts';

/** What a process of the bench can be asked, by name. */
export type Answers = Readonly<Record<string, (given: never) => unknown>>;

interface Ask {
  readonly id: number;
  readonly ask: string;
  readonly given: unknown;
}

interface Reply {
  readonly id: number;
  readonly answer?: unknown;
  readonly failed?: string;
}

export interface RemoteOptions {
  readonly name: string;
  /** The folder of the bench it belongs to; its log goes there. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeOptions?: readonly string[];
}

/** A part of the bench in a process of its own, asked over a channel that costs nothing while nobody asks. */
export class Remote {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(reason: Error): void }>();
  #asked = 0;

  /** Starts `module` (a file of this folder), which must call `answer`. */
  constructor(module: string, { name, folder, env = {}, nodeOptions = [] }: RemoteOptions) {
    const log = openSync(`${folder}/${name}.log`, 'a');
    this.#child = fork(fileURLToPath(new URL(module, import.meta.url)), [], {
      cwd: CHECKOUT,
      execArgv: [...nodeOptions],
      env: { ...process.env, ...env, [MARKER]: folder },
      stdio: ['ignore', log, log, 'ipc'],
      serialization: 'advanced',
    });
    this.pid = this.#child.pid ?? -1;
    this.#child.on('message', ({ id, answer, failed }: Reply) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (failed === undefined) waiting?.resolve(answer);
      else waiting?.reject(new Error(`${name}: ${failed}`));
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        for (const { reject } of this.#waiting.values())
          reject(new Error(`${name} ended with ${signal ?? code}; see ${folder}/${name}.log`));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /** Rejects with what went wrong there, or when the process ended meanwhile. */
  ask<T>(ask: string, given: unknown = null): Promise<T> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as T), reject });
      this.#child.send({ id, ask, given } satisfies Ask);
    });
  }

  /** Ends it in order: it hears SIGTERM. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM');
    await this.#ended;
  }
}

/** In the process that was started: answers what is asked, one question at a time or many at once. Ends on SIGTERM after `stop`. */
export function answer(answers: Answers, stop: () => Promise<void> | void = () => undefined): void {
  process.on('message', ({ id, ask, given }: Ask) => {
    Promise.resolve()
      .then(() => answers[ask]?.(given as never))
      .then(
        (said) => process.send?.({ id, answer: said } satisfies Reply),
        (thrown: unknown) =>
          process.send?.({
            id,
            failed: thrown instanceof Error ? `${thrown.stack}` : `${thrown}`,
          } satisfies Reply),
      );
  });
  // Whoever asks is gone, and with it the reason to be here.
  process.once('disconnect', () => process.exit(1));
  process.once('SIGTERM', () => {
    void Promise.resolve(stop()).finally(() => process.exit(0));
  });
}

/** Nanoseconds of a clock that all processes of one machine share, in milliseconds. */
export function sharedClockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
