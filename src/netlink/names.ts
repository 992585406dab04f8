/**
 * Kernel numbers by name, both ways. Pure.
 * @module
 */

/** A two-way table of names and numbers. */
export class Names<Name extends string> {
  readonly #subject: string;
  readonly #numbers: Readonly<Record<Name, number>>;
  readonly #names: ReadonlyMap<number, Name>;

  constructor(subject: string, numbers: Readonly<Record<Name, number>>) {
    this.#subject = subject;
    this.#numbers = numbers;
    const entries = Object.entries(numbers) as [Name, number][];
    this.#names = new Map(entries.map(([name, number]) => [number, name]));
  }

  /** The number of a name. */
  number(name: Name): number {
    return this.#numbers[name];
  }

  /** The name of a number. Throws a RangeError where it has none. */
  name(number: number | undefined): Name {
    const name = number === undefined ? undefined : this.#names.get(number);
    if (name === undefined) throw new RangeError(`Cannot decode ${this.#subject} ${number}`);
    return name;
  }

  /** The names whose bits are set. */
  flags(bits: number): Name[] {
    return [...this.#names].filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
  }

  /** The bits of the names. */
  bits(names: readonly Name[]): number {
    return names.reduce((bits, name) => bits | this.#numbers[name], 0);
  }
}
