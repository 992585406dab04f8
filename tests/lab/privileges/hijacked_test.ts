/** A proxy that is broken into: its power is what the launcher and its own seal have left. */
import assert from "node:assert/strict";
import { ENOSYS, EPERM } from "../../../src/net/errno.ts";
import { readPortable, writeWithProgram } from "../../laboratory/portable/portable.ts";
import { portableTest, type ProductCopy } from "../../laboratory/portable/product_copy.ts";
import type { Orders, Report } from "../../laboratory/privileges/hijacked.ts";
import { NETLINK_ATTACKS, OTHERS } from "../../laboratory/privileges/netlink_attacks.ts";
import { Program, runProgram } from "../../laboratory/program.ts";

/** Calls that no proxy needs, by their numbers on x86-64 and arm64 (asm/unistd.h). */
const FORBIDDEN = {
  execve: [59, 221],
  execveat: [322, 281],
  clone: [56, 220],
  ptrace: [101, 117],
  bpf: [321, 280],
  mount: [165, 40],
  setresuid: [117, 147],
  setns: [308, 268],
  init_module: [175, 105],
  process_vm_readv: [310, 270],
  keyctl: [250, 219],
  add_key: [248, 217],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  pidfd_send_signal: [424, 424],
} as const;
/** Those to which a C library has another answer than an error. */
const UNKNOWN = { clone3: [435, 435], io_uring_setup: [425, 425], open_tree: [428, 428] } as const;

function numbered(calls: Readonly<Record<string, readonly [number, number]>>): Record<string, number> {
  const index = Deno.build.arch === "x86_64" ? 0 : 1;
  return Object.fromEntries(Object.entries(calls).map(([name, numbers]) => [name, numbers[index]]));
}

/** Starts the product with the intruder's program in the place of its own. */
async function hijack(copy: ProductCopy, privileges: "drop" | "keep"): Promise<Report & { left: string }> {
  const file = `${copy.directory}/hijacked`;
  const bundle = `${copy.directory}/hijacked_bundle.js`;
  const source = new URL("../../laboratory/privileges/hijacked.ts", import.meta.url).pathname;
  await runProgram([Deno.execPath(), "bundle", "--quiet", "-o", bundle, source], { timeoutMs: 60_000 });
  const text = Deno.readTextFileSync(bundle);
  await writeWithProgram(file, readPortable(copy.file), { name: "hijacked", text });

  const at = (name: string, content: string) => {
    Deno.writeTextFileSync(`${copy.directory}/${name}`, content, { mode: 0o600 });
    return `${copy.directory}/${name}`;
  };
  const named = at("named.secret", "named");
  const config = at("tproxy.yaml", `upstreams: { one: { password-file: ${named} } }`);
  const folder = `${copy.directory}/open`;
  Deno.mkdirSync(folder);
  Deno.chmodSync(folder, 0o1777);
  const victim = new Program(["setpriv", "--reuid=65080", "--clear-groups", "sleep", "60"]);
  try {
    const orders: Orders = {
      secret: at("other.secret", "other"),
      named,
      folder,
      victim: victim.pid,
      calls: privileges === "drop" ? { ...numbered(FORBIDDEN), ...numbered(UNKNOWN) } : {},
    };
    // A /run of its own, without what others have left there.
    const script = `mount -t tmpfs none /run; mkdir /run/tproxy; ip link set lo up
      for table in ${OTHERS.join(" ")}; do nft add table inet $table; done
      "$@"; code=$?; nft list tables >&2; ip rule >&2; ip -o link show lo >&2; exit $code`;
    const { stdout, stderr } = await runProgram([
      ...["unshare", "--net", "--mount", "--propagation", "private", "sh", "-ec", script, "sh"],
      ...["env", `TPROXY_CACHE_DIR=${copy.cache}`, file],
      ...["run", "-c", config, "--privileges", privileges, JSON.stringify(orders)],
    ], { timeoutMs: 60_000 });
    return { ...JSON.parse(stdout), left: stderr };
  } finally {
    await victim.stop("SIGKILL");
  }
}

portableTest(
  "when broken into reads no secret, writes no file, starts and signals nothing, leaves others' rules alone",
  async (copy) => {
    const { privileges, attempts, left } = await hijack(copy, "drop");
    const found = /^uid 65080, caps net_raw,net_bind_service, seccomp (?:2|on), landlock (\d+)$/
      .exec(privileges);
    assert.ok(found, privileges);
    const landlock = Number(found[1]);
    const refused = (calls: Readonly<Record<string, unknown>>, errno: number) =>
      Object.fromEntries(Object.keys(calls).map((name) => [name, `${errno}`]));
    // Without Landlock it is the user who may not write, which in a folder for all is not enough.
    const forbidden = landlock > 0 ? "EACCES" : "done";
    assert.deepEqual(attempts, {
      "read a secret": "EACCES",
      "have a secret opened": "PermissionDenied",
      "have what the config names opened": "done",
      "have it opened for writing": "13",
      "have a secret opened by another way": "PermissionDenied",
      "write a file": forbidden,
      "write beside the state file": "done",
      "lead root elsewhere": "EPERM",
      "start a program": "EPERM",
      "signal another process": "PermissionDenied",
      "open a packet socket": "97",
      "leave by a network namespace": `${EPERM}`,
      ...Object.fromEntries(Object.keys(NETLINK_ATTACKS).map((name) => [name, "EPERM"])),
      "change what is its own": "done",
      ...refused(FORBIDDEN, EPERM),
      ...refused(UNKNOWN, ENOSYS),
    });
    for (const table of OTHERS) assert.match(left, new RegExp(`^table inet ${table}$`, "m"));
    assert.match(left, /<LOOPBACK,UP/);
    assert.equal(left.match(/^\d+:\s+from/gm)?.length, 3, left);
  },
);

portableTest("is not held back by its own program with --privileges keep", async (copy) => {
  const { privileges, attempts } = await hijack(copy, "keep");
  assert.match(privileges, /^uid 0, caps .* \(kept: privileges keep\)$/);
  const { "have it opened for writing": _, ...rest } = attempts;
  for (const [what, came] of Object.entries(rest)) assert.equal(came, "done", what);
});
