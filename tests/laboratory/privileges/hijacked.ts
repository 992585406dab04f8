/**
 * A program in the place of the proxy's: the launcher starts it with the privileges of `run`, it seals itself
 * as the proxy does, and then a worker of it does what an intruder would. It prints what came of each.
 */
import { libc } from "../../../ffi/libc.ts";
import { result } from "../../../ffi/errno.ts";
import { openConfigFiles } from "../../../src/daemon/privileges/file_server.ts";
import { Privileges } from "../../../src/daemon/privileges/privileges.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { netlinkServer, useNetlinkServer } from "../../../src/netlink/served/server.ts";
import { NETLINK_ATTACKS } from "./netlink_attacks.ts";

/** Orders of the test: its last argument, in JSON. */
export interface Orders {
  /** A file of root's, mode 0600. */
  readonly secret: string;
  /** The like, that the config names. */
  readonly named: string;
  /** A folder where everybody may write. */
  readonly folder: string;
  /** A process of the same user. */
  readonly victim: number;
  /** Calls by number. */
  readonly calls: Readonly<Record<string, number>>;
}

/** Prints this. */
export interface Report {
  readonly privileges: string;
  /** `done`, a name of an error, or a number of one. */
  readonly attempts: Readonly<Record<string, string>>;
}

interface WorkerOrders {
  readonly orders: Orders;
  readonly files: number;
  readonly netlink: number;
}

/** CLONE_SIGHAND alone makes no process, and is no request of ptrace: who refuses such a call shows. */
const HARMLESS = 0x800;

function attempt(work: () => unknown): string {
  try {
    const returned = work();
    return typeof returned === "number" && returned < 0 ? `${-returned}` : "done";
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).name;
  }
}

function attack(
  { orders: { secret, named, folder, victim, calls }, files, netlink }: WorkerOrders,
): Report["attempts"] {
  useNetlinkServer(netlink);
  const served = openConfigFiles(files);
  return {
    ...Object.fromEntries(Object.entries(NETLINK_ATTACKS).map(([name, attack]) => [name, attempt(attack)])),
    "read a secret": attempt(() => Deno.readTextFileSync(secret)),
    "have a secret opened": attempt(() => served.readTextFile(secret)),
    "have what the config names opened": attempt(() => served.readTextFile(named)),
    "have it opened for writing": attempt(() => served.openForAppending(named, 0o600)),
    "have a secret opened by another way": attempt(() => served.readTextFile(`/..${secret}`)),
    "write a file": attempt(() => Deno.writeTextFileSync(`${folder}/planted`, "x")),
    "write beside the state file": attempt(() => Deno.writeTextFileSync("/run/tproxy/attempt", "x")),
    "lead root elsewhere": attempt(() => Deno.symlinkSync("/etc/shadow", "/run/tproxy/link")),
    "start a program": attempt(() => new Deno.Command("/bin/true").outputSync().code),
    "signal another process": attempt(() => Deno.kill(victim, "SIGCONT")),
    "open a packet socket": attempt(() => result(libc.socket(17, 3, 0))),
    "leave by a network namespace": attempt(() => result(libc.unshare(0x40000000))),
    ...Object.fromEntries(
      Object.entries(calls).map(([name, call]) => [
        name,
        attempt(() => result(libc.syscall(BigInt(call), HARMLESS, 0, new Uint8Array(64)))),
      ]),
    ),
  };
}

const scope = globalThis as unknown as {
  onmessage: unknown;
  postMessage?: (message: unknown) => void;
};

function runWorker(message: WorkerOrders): Promise<Report["attempts"]> {
  const { promise, resolve, reject } = Promise.withResolvers<Report["attempts"]>();
  const worker = new Worker(import.meta.url, { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage(message);
  return promise.finally(() => worker.terminate());
}

if (scope.postMessage !== undefined) {
  scope.onmessage = ({ data }: MessageEvent<WorkerOrders>) => scope.postMessage!(attack(data));
} else {
  const orders: Orders = JSON.parse(Deno.args.at(-1)!);
  const privileges = new Privileges(Deno.env);
  // As the proxy does it before it hears of anybody.
  privileges.limitTo(parseConfig("", "tproxy.yaml"));
  privileges.seal();
  const readTextFile = (path: string) => Deno.readTextFileSync(path);
  // The worker begins after the seal, as the successor of one that has failed.
  const attempts = await runWorker({ orders, files: privileges.files, netlink: netlinkServer() });
  const report: Report = { privileges: privileges.describe(readTextFile), attempts };
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(report)}\n`));
  Deno.exit(0);
}
