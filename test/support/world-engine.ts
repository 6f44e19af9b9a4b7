import { createWriteStream, readFileSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { BridgeError } from '../../engine/errors.ts';
import { CHECKOUT } from '../../sandbox/environment.ts';
import { type Child, runChild, startChild } from '../../sandbox/launcher/child.ts';

/** One line an engine logged. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: string };

export interface EngineOptions {
  readonly name: string;
  /** The folder of its routes.yaml. */
  readonly root: string;
  /** Where its log goes. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** The program and its arguments, when it is not `hisbridge run`. */
  readonly program?: readonly string[];
  readonly nodeOptions?: readonly string[];
  readonly onLine: (line: LogLine) => void;
}

/**
 * Engines start in two thirds of the time when they find compiled what they load. An engine that is killed leaves
 * nothing there: `warmUp` does. Coverage is counted on what is compiled anew.
 */
export const COMPILE_CACHE: Readonly<Record<string, string>> =
  process.env['NODE_V8_COVERAGE'] === undefined
    ? {
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(CHECKOUT, '.cache/compiled'),
      }
    : {};

/** Compiles once what an engine loads. */
export async function warmUp(folder: string): Promise<void> {
  await runChild({
    name: 'hisbridge help',
    command: process.execPath,
    args: [join(CHECKOUT, 'cli/hisbridge.ts'), 'help'],
    cwd: CHECKOUT,
    env: COMPILE_CACHE,
    folder,
  });
}

const LAST_WORDS = 25;

/** An engine as a process: started, killed, frozen, woken and started again, as often as a test wants. */
export class EngineProcess {
  readonly name: string;
  readonly #options: EngineOptions;
  readonly #log: WriteStream;
  readonly lines: LogLine[] = [];
  #lastWords: readonly string[] = [];
  #child: Child | null = null;

  constructor(options: EngineOptions) {
    this.name = options.name;
    this.#options = options;
    this.#log = createWriteStream(join(options.folder, `${options.name}.log`), { flags: 'a' });
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  get runs(): boolean {
    return this.#child !== null && this.#child.howEnded() === null;
  }

  /** The last it printed. */
  get lastWords(): string {
    return this.#lastWords.join('\n');
  }

  /** How it ended, or null while it runs. */
  get end(): string | null {
    return this.#child?.howEnded() ?? null;
  }

  /** Resolves once it says that it is ready. Throws with what it printed when it ends before that. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const words = await this.launch(env);
    if (words !== null)
      throw new BridgeError('not-allowed', `${this.name} did not start:\n${words.join('\n')}`);
  }

  /** Starts it, though it may end before it is ready: then with what it printed, else with null. */
  async launch(env: Readonly<Record<string, string>>): Promise<readonly string[] | null> {
    const { program, root, folder, name, nodeOptions = [] } = this.#options;
    const own = [join(CHECKOUT, 'cli/hisbridge.ts'), 'run', '--metrics-port', '0', '--log-level', 'warn'];
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const words: string[] = [];
    const take = (text: string) => {
      this.#log.write(`${text}\n`);
      this.#lastWords = [...this.#lastWords.slice(1 - LAST_WORDS), text];
      if (words.length < 30) words.push(text);
      const line = text.startsWith('{') ? (JSON.parse(text) as LogLine) : null;
      if (line === null) return;
      if (line.event === 'ready') resolve(true);
      this.lines.push(line);
      this.#options.onLine(line);
    };
    const child = startChild({
      name,
      command: process.execPath,
      args: [...nodeOptions, ...(program ?? own), '-c', root],
      cwd: CHECKOUT,
      folder,
      env: { ...COMPILE_CACHE, ...this.#options.env, ...env },
      onLine: take,
      onErrorLine: take,
    });
    this.#child = child;
    void child.ended.then(() => resolve(false));
    return (await promise) ? null : words;
  }

  /** Resolves once it is gone. */
  async ended(): Promise<void> {
    await this.#child?.ended;
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    await this.#child?.stop(30_000);
  }

  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  wake(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Whether the kernel says that it is stopped. */
  get frozen(): boolean {
    return this.runs && /^State:\s+T/m.test(this.#status());
  }

  /** The most memory it ever had, in megabytes. */
  get peakMegabytes(): number {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(this.#status())?.[1] ?? 0) / 1024;
  }

  /** How often it logged an event since it was made. */
  count(event: string): number {
    return this.lines.filter((line) => line.event === event).length;
  }

  close(): void {
    this.#log.end();
  }

  #status(): string {
    return readFileSync(`/proc/${this.pid}/status`, 'utf8');
  }
}
