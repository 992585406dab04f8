/**
 * `run` of a shipped file, idle, in a network namespace of its own; and the loop devices that show a file.
 * @module
 */
import { clean, type ProductCopy } from "./product_copy.ts";
import { Program, runProgram } from "../program.ts";

/** Starts the file's `run` with one worker and waits until it relays. */
export async function startRun(
  copy: ProductCopy,
  options: { file?: string; env?: Record<string, string> } = {},
): Promise<Program> {
  const { file = copy.file, env = {} } = options;
  const place = Deno.makeTempDirSync({ dir: copy.directory, prefix: "run-" });
  Deno.chmodSync(place, 0o755);
  Deno.writeTextFileSync(
    `${place}/tproxy.yaml`,
    `listener: { workers: 1 }\ncontrol: ${place}/control/sock\n`,
  );
  const script = `ip link set lo up; ip link add lan0 type veth peer name lan1; ip link set lan0 up
    ip addr add 192.0.2.1/24 dev lan0; exec ${file} run -c ${place}/tproxy.yaml`;
  const program = new Program(clean(["unshare", "--net", "sh", "-ec", script], env));
  try {
    await program.waitForOutput("relays TCP", { timeoutMs: 30_000 });
    return program;
  } catch (error) {
    await program.stop("SIGKILL");
    throw error;
  }
}

/** Memory of its own that a process has, in MB: what no other process could share. */
export function anonymousMemory(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) / 1000;
}

/** Names of the loop devices that show a part of the file. */
export async function loopDevices(file: string): Promise<string[]> {
  const { stdout } = await runProgram(["losetup", "-j", file], { mayFail: true });
  return stdout.split("\n").map((line) => line.split(":")[0]).filter((name) => name !== "");
}
