import type fc from 'fast-check';

/** One command of a model-based test: what it is called in a failing run, what it does, and when it can be done. */
export class Step<Model extends object, Real> implements fc.AsyncCommand<Model, Real> {
  readonly #words: string;
  readonly #act: (model: Model, real: Real) => Promise<void>;
  readonly #can: (model: Readonly<Model>) => boolean;

  constructor(
    words: string,
    act: (model: Model, real: Real) => Promise<void>,
    can: (model: Readonly<Model>) => boolean = () => true,
  ) {
    this.#words = words;
    this.#act = act;
    this.#can = can;
  }

  check(model: Readonly<Model>): boolean {
    return this.#can(model);
  }

  run(model: Model, real: Real): Promise<void> {
    return this.#act(model, real);
  }

  toString(): string {
    return this.#words;
  }
}
