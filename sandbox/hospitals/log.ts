import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

interface Waiting {
  /** A line to add, or the content that takes the place of everything. */
  readonly write: string | readonly string[];
  readonly done: () => void;
  readonly failed: (reason: unknown) => void;
}

/**
 * An append-only file of lines. `append` resolves once its line is on disk; lines reach the disk in the order
 * of the calls, and all that wait share one sync. After a failed write nothing more is taken: what is in memory
 * and what is on disk could differ.
 */
export class AppendLog {
  readonly #path: string;
  #file: FileHandle;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;
  #broken: unknown = null;
  #syncs = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Opens or creates the file; a torn last line (the process died while writing it) is cut off. */
  static async open(path: string): Promise<{ log: AppendLog; lines: readonly string[] }> {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'a+');
    const content = await file.readFile();
    const whole = content.lastIndexOf(0x0a) + 1;
    if (whole < content.length) await file.truncate(whole);
    await file.datasync();
    await syncFolder(path);
    const lines = content.subarray(0, whole).toString('utf8').split('\n').slice(0, -1);
    return { log: new AppendLog(path, file), lines };
  }

  /** How often the disk was waited for. */
  get syncs(): number {
    return this.#syncs;
  }

  append(line: string): Promise<void> {
    return this.#enqueue(line);
  }

  /** Puts other content in place of everything appended before, all or nothing. */
  replace(lines: readonly string[]): Promise<void> {
    return this.#enqueue(lines);
  }

  /** Resolves once every line given so far is on disk. */
  async flush(): Promise<void> {
    while (this.#running !== null) await this.#running;
    if (this.#broken !== null) throw this.#broken;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file.close();
  }

  #enqueue(write: string | readonly string[]): Promise<void> {
    if (this.#broken !== null) return Promise.reject(this.#broken);
    return new Promise((done, failed) => {
      this.#waiting.push({ write, done, failed });
      this.#running ??= this.#work();
    });
  }

  async #work(): Promise<void> {
    // A turn of the loop first: requests that arrived together go to disk together.
    await new Promise((next) => setImmediate(next));
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#write(batch);
        for (const { done } of batch) done();
      } catch (thrown) {
        this.#broken = thrown;
        for (const { failed } of [...batch, ...this.#waiting]) failed(thrown);
        this.#waiting = [];
      }
    }
    this.#running = null;
  }

  /** The lines that wait, up to a replacement; or the one replacement that is first. */
  #take(): readonly Waiting[] {
    const replacement = this.#waiting.findIndex(({ write }) => typeof write !== 'string');
    if (replacement === 0) return this.#waiting.splice(0, 1);
    return this.#waiting.splice(0, replacement < 0 ? this.#waiting.length : replacement);
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch;
    if (first !== undefined && typeof first.write !== 'string') return this.#swap(first.write);
    await this.#file.appendFile(batch.map(({ write }) => `${write}\n`).join(''));
    await this.#file.datasync();
    this.#syncs += 1;
  }

  async #swap(lines: readonly string[]): Promise<void> {
    const beside = `${this.#path}.new`;
    const file = await open(beside, 'w');
    await file.appendFile(lines.map((line) => `${line}\n`).join(''));
    await file.datasync();
    await file.close();
    await rename(beside, this.#path);
    await syncFolder(this.#path);
    await this.#file.close();
    this.#file = await open(this.#path, 'a+');
  }
}

/** A new name is durable only once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
