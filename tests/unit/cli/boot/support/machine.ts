/**
 * A machine that consists of a folder, with a service manager that enables and disables as the real one does.
 * @module
 */
import { filesUnder } from "../../../../../src/cli/files.ts";
import type { Env, ProgramOutcome } from "../../../../../src/cli/env.ts";
import type { ManagerName } from "../../../../../src/boot/model.ts";

const SIGNS: Readonly<Record<ManagerName, { folders: string[]; files: string[]; links: string[] }>> = {
  systemd: {
    folders: ["/run/systemd/system"],
    files: ["/lib/systemd/systemd"],
    links: ["/etc/systemd/system/multi-user.target.wants/tproxy.service"],
  },
  openwrt: {
    folders: ["/usr/share/nftables.d"],
    files: ["/etc/openwrt_release", "/sbin/procd", "/etc/rc.common"],
    links: ["/etc/rc.d/S95tproxy", "/etc/rc.d/K10tproxy"],
  },
  openrc: { folders: ["/run/openrc"], files: ["/sbin/openrc-run"], links: ["/etc/runlevels/default/tproxy"] },
};

/** Made anew for each test. */
export class Machine implements Disposable {
  readonly root = Deno.makeTempDirSync();
  readonly env: Env;
  /** The program's path. */
  binary = "/usr/bin/tproxy";
  /** The cache that the launcher names. */
  cache: string | undefined;
  /** /proc/self/mountinfo. */
  mounts = "1 0 0:1 / / rw - ext4 /dev/x rw\n";
  /** A path that cannot be written. */
  refuses: string | undefined;
  /** The answer of every program, where a test wants another than the right one. */
  answer: ProgramOutcome | undefined;
  readonly #manager: ManagerName | undefined;
  readonly #calls: string[] = [];

  constructor(manager: ManagerName | undefined) {
    this.#manager = manager;
    const signs = manager === undefined ? undefined : SIGNS[manager];
    for (const folder of signs?.folders ?? []) Deno.mkdirSync(`${this.root}${folder}`, { recursive: true });
    for (const path of [...signs?.files ?? [], "/usr/bin/tproxy"]) this.write(path, "x", 0o755);
    // Folders that a real one has, whether it starts us or not.
    for (const path of this.#parents()) Deno.mkdirSync(`${this.root}${path}`, { recursive: true });
    const files = filesUnder(this.root);
    // deno-lint-ignore no-this-alias
    const machine = this;
    this.env = {
      args: [],
      stdout: () => {},
      stderr: () => {},
      stdoutIsTerminal: false,
      columns: 80,
      stderrIsJournal: false,
      ask: () => undefined,
      readStdin: () => "",
      getenv: (name) => name === "TPROXY_CACHE_DIR" ? this.cache : undefined,
      readTextFile: (path) => {
        if (path === "/proc/self/mountinfo") return this.mounts;
        throw new Deno.errors.NotFound(path);
      },
      files: {
        ...files,
        write: (path, content) => {
          if (path === this.refuses) {
            throw new Deno.errors.PermissionDenied(`Permission denied: open '${path}'`);
          }
          files.write(path, content);
        },
      },
      runProgram: (argv) => Promise.resolve(this.#run(argv)),
      cwd: () => "/",
      now: () => new Date(0),
      get self() {
        return { command: machine.binary, args: [] };
      },
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }

  /** Programs that were run since the last time, `; ` between them. */
  takeCalls(): string {
    return this.#calls.splice(0).join("; ");
  }

  /** Tells whether the service manager starts us at boot. */
  enabled(): boolean {
    const [link] = SIGNS[this.#manager!].links;
    return this.tree().includes(link);
  }

  write(path: string, text: string, mode: number): void {
    Deno.mkdirSync(`${this.root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    Deno.writeTextFileSync(`${this.root}${path}`, text);
    Deno.chmodSync(`${this.root}${path}`, mode);
  }

  read(path: string): string {
    return Deno.readTextFileSync(`${this.root}${path}`);
  }

  remove(path: string): void {
    Deno.removeSync(`${this.root}${path}`);
  }

  /** A symbolic link; `target` is below the root. */
  link(path: string, target: string): void {
    Deno.symlinkSync(`${this.root}/${target}`, `${this.root}${path}`);
  }

  /** Every path below the root, folders among them; `contents`: with what is in the files. */
  tree({ contents = false } = {}): string[] {
    const list = (folder: string): string[] =>
      [...Deno.readDirSync(`${this.root}${folder}`)].flatMap(({ name, isDirectory, isFile }) => {
        const path = `${folder}/${name}`;
        if (isDirectory) return [path, ...list(path)];
        return [contents && isFile ? `${path}: ${this.read(path)}` : path];
      });
    return list("").toSorted();
  }

  #parents(): string[] {
    if (this.#manager === undefined) return [];
    const own = { systemd: ["/etc/systemd/system"], openwrt: ["/lib/upgrade/keep.d"], openrc: [] };
    const links = SIGNS[this.#manager].links.map((link) => link.slice(0, link.lastIndexOf("/")));
    return [...links, ...own[this.#manager], "/etc/init.d", "/etc/tproxy"];
  }

  #run(argv: readonly string[]): ProgramOutcome {
    this.#calls.push(argv.join(" "));
    if (this.answer !== undefined) return this.answer;
    const links = SIGNS[this.#manager!].links;
    for (const link of links) {
      if (argv.includes("enable") || argv.includes("add")) this.write(link, "", 0o644);
      if (argv.includes("disable") || argv.includes("del")) this.remove(link);
    }
    return { code: 0, output: "" };
  }
}
