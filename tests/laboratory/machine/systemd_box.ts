/**
 * A box: the root of a machine with systemd, in namespaces of this machine. A boot takes seconds there, but
 * kernel, devices and limits are this machine's: tests/vm has the real one.
 * @module
 */
import { writeDirectory } from "../../vm/support/disk.ts";
import type { Shell } from "../../vm/support/systemd_scenario.ts";
import { fillSystemd, missingSystemd } from "../../vm/support/systemd.ts";
import { Tree } from "../../vm/support/tree.ts";
import { Program, runProgram } from "../program.ts";
import { until } from "./wait.ts";

const SCRIPT = new URL("systemd_box.sh", import.meta.url).pathname;
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Returns the reason why systemd cannot run here, if any. */
export async function systemdObstacle(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "needs root (namespaces)";
  if (Deno.env.get("TPROXY_BIN") === undefined) return "needs the single file: TPROXY_BIN names none";
  if (Deno.env.get("TPROXY_LAB_BACKEND") !== undefined) return "is the same with every backend";
  const { code } = await runProgram(["unshare", "--mount", "sh", "-c", "mount -t cgroup2 cgroup /mnt"], {
    mayFail: true,
  });
  return missingSystemd() ??
    (code === 0 ? undefined : "the hierarchy of control groups cannot be mounted here");
}

/** Boots of one root, one after the other. */
export class SystemdBox implements AsyncDisposable {
  readonly directory: string;
  readonly root: string;
  #systemd: Program | undefined;

  private constructor(directory: string) {
    this.directory = directory;
    this.root = `${directory}/root`;
  }

  /** Makes the root, with these files of this machine besides. */
  static async make(files: Readonly<Record<string, Parameters<Tree["file"]>[1]>>): Promise<SystemdBox> {
    const box = new SystemdBox(await Deno.makeTempDir({ prefix: "tproxy-lab-box-" }));
    const tree = new Tree().file("bin/busybox", await findBusybox());
    for (const path of ["dev", "proc", "sys", "run", "tmp", "root", "var", "usr/bin"]) tree.directory(path);
    for (const [path, source] of Object.entries(files)) tree.file(path, source);
    (await fillSystemd())(tree);
    await Deno.mkdir(box.root);
    writeDirectory(box.root, tree);
    await runProgram(["chroot", box.root, "/bin/busybox", "--install", "-s", "/bin"]);
    return box;
  }

  /** Starts systemd; gives a shell beside it. */
  async boot(): Promise<Shell> {
    const namespaces = ["--fork", "--kill-child", "--pid", "--mount", "--net", "--uts", "--ipc", "--cgroup"];
    // In a control group of its own, which becomes the root of the box's hierarchy.
    const group = `${this.directory}/cgroup`;
    const start = `mkdir -p ${group}
mount -t cgroup2 cgroup ${group}
mkdir -p ${group}/${this.#group}
echo $$ >${group}/${this.#group}/cgroup.procs
umount ${group}
exec unshare ${namespaces.join(" ")} sh ${SCRIPT} ${this.root}`;
    const systemd = new Program(["unshare", "--mount", "sh", "-e", "-c", start]);
    this.#systemd = systemd;
    const shell = new BoxShell(() => this.#findFirst());
    await until(() => !systemd.running || this.#findFirst() !== undefined, { what: "process 1 of the box" })
      .catch((error) => {
        throw new Error(`${error.message}: ${systemd.output}`);
      });
    return shell;
  }

  /** Ends it as a power failure does. */
  async cut(): Promise<void> {
    const first = this.#findFirst();
    if (first !== undefined) Deno.kill(first, "SIGKILL");
    await this.#systemd?.waitForExit({ timeoutMs: 10_000 });
    await this.#systemd?.stop();
    this.#systemd = undefined;
    await Deno.remove(`${this.root}/old`, { recursive: true }).catch(() => {});
    // systemd has made groups below; they are empty now.
    const group = `${this.directory}/cgroup`;
    await runProgram([
      "unshare",
      "--mount",
      "sh",
      "-e",
      "-c",
      `mount -t cgroup2 cgroup ${group}
find ${group}/${this.#group} -depth -type d -exec rmdir {} \\;`,
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#systemd !== undefined) await this.cut();
    await Deno.remove(this.directory, { recursive: true });
  }

  get #group(): string {
    return this.directory.slice(this.directory.lastIndexOf("/") + 1);
  }

  /** systemd is the child of the inner unshare, which is what the outer one has become. */
  #findFirst(): number | undefined {
    const pid = this.#systemd?.pid;
    if (pid === undefined) return undefined;
    try {
      const [child] = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).split(" ").map(Number);
      return child > 0 && Deno.readTextFileSync(`/proc/${child}/comm`) === "systemd\n" ? child : undefined;
    } catch {
      return undefined;
    }
  }
}

class BoxShell implements Shell {
  constructor(readonly first: () => number | undefined) {}

  async run(name: string, script: string, options: { seconds?: number } = {}): Promise<string> {
    const { code, output } = await this.try(name, script, options);
    if (code !== 0) throw new Error(`Step "${name}" ended with ${code}:\n${output}`);
    return output;
  }

  async try(name: string, script: string, { seconds = 60 }: { seconds?: number } = {}) {
    const first = this.first();
    if (first === undefined) throw new Error(`Step "${name}": systemd does not run`);
    const enter = ["nsenter", "--target", `${first}`, "--all", "--root", "--wd"];
    const command = ["env", "-i", `PATH=${PATH}`, "HOME=/root", "/bin/sh", "-c", `exec 2>&1; ${script}`];
    const { code, stdout } = await runProgram([...enter, ...command], {
      mayFail: true,
      timeoutMs: seconds * 1000,
    });
    return { code, output: stdout.trim() };
  }
}

async function findBusybox(): Promise<string> {
  const { stdout } = await runProgram(["sh", "-c", "command -v busybox"]);
  return await Deno.realPath(stdout.trim());
}
