import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Messages collected from public repositories, beside the repository; absent on most machines. */
const CORPUS = new URL('../../../../shared/corpus/', import.meta.url);

/** Describes one folder of the corpus with a test for each of its files; says so in one line when it is not there. */
export function describeCorpus(folder: string, test: (name: string, bytes: () => Uint8Array) => void): void {
  describe(`corpus ${folder}`, () => {
    const at = new URL(`${folder}/`, CORPUS);
    if (!existsSync(at)) {
      it('is read', function () {
        process.stdout.write(`    skipped: ../shared/corpus/${folder} is not on this machine\n`);
        this.skip();
      });
      return;
    }
    for (const name of readdirSync(at)) {
      test(name, () => readFileSync(new URL(encodeURIComponent(name), at)));
    }
  });
}
