/**
 * Options of `scripts/build`.
 * @module
 */
import { HOST, type Target, TARGETS } from "./target.ts";

/** Forms of a product. */
const FORMS = ["packed", "image", "installed"] as const;

/** Products that are wanted, and the way to them. */
export interface BuildOptions {
  readonly way: "portable" | "compile";
  /** A second build is compared with dist/. */
  readonly check: boolean;
  readonly targets: readonly Target[];
  readonly forms: readonly (typeof FORMS[number])[];
}

/** Reads the command line; `undefined`: it asks for a way, target or form that does not exist. */
export function parseBuildOptions(args: readonly string[]): BuildOptions | undefined {
  let way: BuildOptions["way"] = "portable";
  let targets: readonly Target[] = [HOST];
  let forms: BuildOptions["forms"] = ["packed"];
  let check = false;
  const rest = args.flatMap((arg) => /^--\w+=/.test(arg) ? arg.split(/=(.*)/s).slice(0, 2) : [arg]);
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "portable" || arg === "compile") way = arg;
    else if (arg === "--check") check = true;
    else if (arg === "--target") targets = choose(rest.shift(), TARGETS, ({ arch }) => arch);
    else if (arg === "--form") forms = choose(rest.shift(), FORMS, (form) => form);
    else return undefined;
    if (targets.length === 0 || forms.length === 0) return undefined;
  }
  const plain = targets.length === 1 && targets[0] === HOST && forms.length === 1 && forms[0] === "packed";
  return way === "compile" && (!plain || check) ? undefined : { way, check, targets, forms };
}

function choose<T>(word: string | undefined, all: readonly T[], nameOf: (one: T) => string): readonly T[] {
  return word === "all" ? all : all.filter((one) => nameOf(one) === word);
}
