/**
 * The README's recipes in the laboratory: files and commands as they stand there, on the router.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import type { StartOptions } from "../namespace.ts";
import type { Outcome, Program, RunOptions } from "../program.ts";
import { listChildren } from "../machine/procfs.ts";
import { tproxyCommand } from "./proxy.ts";
import { readRecipe } from "./readme.ts";

/** Words of `tproxy run` when it serves. */
export const PROXY_RUNS = " relays TCP and UDP to the original destination";

/** A test's use of a recipe. */
export interface RecipeOptions {
  /** A variant: parts of its files and of its commands, and what stands there instead. */
  readonly replace?: readonly (readonly [part: string, instead: string])[];
}

/** A recipe whose files lie on the router. */
export class RecipeInLab {
  readonly #lab: Lab;
  readonly #directory: string;
  readonly #commands: ReadonlyMap<string, string>;

  constructor(lab: Lab, options: { directory: string; commands: ReadonlyMap<string, string> }) {
    this.#lab = lab;
    this.#directory = options.directory;
    this.#commands = options.commands;
  }

  /** The text of a block of commands. */
  text(name: string): string {
    const text = this.#commands.get(name);
    if (text === undefined) throw new Error(`The recipe has no block of commands "sh ${name}"`);
    return text;
  }

  /** The path of one of the files. */
  path(name: string): string {
    return `${this.#directory}/${name}`;
  }

  /** Starts a block of commands; they end with the laboratory, or by {@linkcode stop}. */
  start(options: StartOptions & { name?: string } = {}): Promise<Program> {
    const { name = "", ...rest } = options;
    return this.#lab.router.start(this.#shell(`${this.text(name)}\nwait`), rest);
  }

  /** Ends a block of commands: the shell would not end those that it waits for. */
  async stop(program: Program): Promise<void> {
    for (const pid of listChildren(program.pid)) Deno.kill(pid, "SIGTERM");
    await program.stop();
  }

  /** Runs a block of commands to its end; throws where one fails, unless `mayFail`. */
  run(name = "", options: RunOptions = {}): Promise<Outcome> {
    return this.#lab.router.run(this.#shell(this.text(name)), options);
  }

  /**
   * In the directory of the files, with `tproxy` in the path, and with directories of its own where programs
   * write.
   */
  #shell(commands: string): string[] {
    const root = this.#lab.directory;
    const script = `mount -t tmpfs none /dev/shm; mount -t tmpfs none /run
[ ! -d /var/log/squid ] || mount --bind ${root}/squid-log /var/log/squid
cd ${this.#directory}; PATH=${root}/bin:$PATH
${commands}`;
    return ["unshare", "-m", "sh", "-ec", script];
  }
}

/**
 * Puts a recipe's files on the router. The router gets a default route, by which it knows its WAN: recipes
 * name no interface.
 */
export async function prepareRecipe(
  lab: Lab,
  title: string,
  { replace = [] }: RecipeOptions = {},
): Promise<RecipeInLab> {
  const { files, commands } = readRecipe(title);
  const directory = `${lab.directory}/recipe`;
  for (const path of [directory, `${lab.directory}/bin`, `${lab.directory}/squid-log`]) Deno.mkdirSync(path);
  // Squid is another user by the time it writes there.
  Deno.chmodSync(`${lab.directory}/squid-log`, 0o777);
  Deno.writeTextFileSync(
    `${lab.directory}/bin/tproxy`,
    `#!/bin/sh\nexec ${tproxyCommand().join(" ")} "$@"\n`,
  );
  Deno.chmodSync(`${lab.directory}/bin/tproxy`, 0o755);
  for (const [name, text] of vary(files, replace)) Deno.writeTextFileSync(`${directory}/${name}`, text);
  await lab.router.ip(`
    route replace default via ${ADDRESSES[4].server}
    route replace default via ${ADDRESSES[6].server}
  `);
  const varied = [...commands].map(([name, text]) =>
    [name, replace.reduce((text, [part, instead]) => text.replaceAll(part, instead), text)] as const
  );
  return new RecipeInLab(lab, { directory, commands: new Map(varied) });
}

function vary(
  files: ReadonlyMap<string, string>,
  replace: readonly (readonly [part: string, instead: string])[],
): ReadonlyMap<string, string> {
  const varied = new Map(files);
  for (const [part, instead] of replace) {
    const [name, text] = [...varied].find(([, text]) => text.includes(part)) ?? [];
    if (name === undefined) throw new Error(`No file of the recipe has "${part}"`);
    varied.set(name, text!.replace(part, instead));
  }
  return varied;
}
