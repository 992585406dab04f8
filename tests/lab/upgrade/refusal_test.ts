/** Files that `tproxy upgrade` refuses, each with its reason: the proxy that runs goes on. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { exchange, openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { controlPath, tproxy, tproxyCommand } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const OPTIONS = { netlinkOnly: "with kernel.backend iptables nothing is handed over" };
const NOBODY = 65534;

/** A program that says that it is a tproxy, and does nothing else. */
function writeTproxy(lab: Lab, path: string, mode = 0o755): string {
  Deno.mkdirSync(`${lab.directory}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
  const file = lab.writeFile(
    path,
    `#!/bin/sh\n[ "$1" = version ] && echo '{"version":"1.0.0","handover":1}'\n`,
  );
  Deno.chmodSync(file, mode);
  return file;
}

/** The same in a folder that others may write to. */
function inFolder(lab: Lab, name: string, change: (folder: string) => void): string {
  const file = writeTproxy(lab, `${name}/tproxy`);
  change(`${lab.directory}/${name}`);
  return file;
}

labTest("upgrade refuses each file with its reason, and the proxy goes on", OPTIONS, async (lab) => {
  const proxy = await startUdpProxy(lab);
  const flow = { client: openClient(lab, 4), server: openServer(lab, 4) };
  const seen = await exchange(flow.client, flow.server);
  const { directory } = lab;
  await lab.router.run(["mkfifo", `${directory}/fifo`]);
  await lab.router.run(["ln", "-s", writeTproxy(lab, "a/writable", 0o757), `${directory}/link`]);
  const owned = writeTproxy(lab, "a/owned");
  Deno.chownSync(owned, NOBODY, 0);
  const grouped = writeTproxy(lab, "a/grouped", 0o775);
  Deno.chownSync(grouped, 0, NOBODY);
  const script = (name: string, text: string): string => {
    const path = lab.writeFile(name, `#!/bin/sh\n${text}\n`);
    Deno.chmodSync(path, 0o755);
    return path;
  };
  for (
    const [file, reason] of [
      [directory, /it is not a plain file/],
      [`${directory}/fifo`, /it is not a plain file/],
      ["/dev/zero", /it is not a plain file/],
      [truncated(lab, "/bin/true", 300), /it is no tproxy: /],
      [`${directory}/a/writable`, /others may write it, and root would run it.*chmod go-w /],
      [`${directory}/link`, /others may write it.*chmod go-w .*\/a\/writable/],
      [owned, /uid 65534 may write it/],
      [grouped, /group 65534 may write it/],
      [inFolder(lab, "open", (path) => Deno.chmodSync(path, 0o777)), /others may put another file there/],
      [inFolder(lab, "theirs", (path) => Deno.chownSync(path, NOBODY, 0)), /uid 65534 may put another/],
      [script("endless", "exec yes"), /it is no tproxy: .*: it says too much/],
      [script("broken", "echo told; echo it breaks >&2; exit 7"), /says "it breaks", and its exit code is 7/],
      [script("killed", "kill -SEGV $$"), /it is no tproxy: .*: it ends by SIGSEGV/],
      [writeTproxy(lab, "a/forbidden", 0o644), /it is no tproxy: .*Permission denied/],
      // It is run, since root alone may replace a file in a sticky folder: its successor just ends.
      [inFolder(lab, "sticky", (path) => Deno.chmodSync(path, 0o1777)), /has not taken over/],
    ] as const
  ) {
    const { code, stderr } = await tproxy(lab, ["upgrade", "-c", proxy.configPath, file], { mayFail: true });
    assert.equal(code, 1, `${file}: ${stderr}`);
    assert.match(stderr, reason, file);
  }
  assert.equal(await exchange(flow.client, flow.server), seen);
  assert.ok(proxy.program.running);
});

labTest(
  "upgrade refuses a product that is cut off at any place",
  { ...OPTIONS, ...Deno.env.get("TPROXY_BIN") === undefined ? { obstacle: "needs TPROXY_BIN" } : {} },
  async (lab) => {
    const proxy = await startUdpProxy(lab);
    const [product] = tproxyCommand();
    const { size } = Deno.statSync(product);
    for (const length of [1000, 100_000, Math.floor(size / 2), size - 1]) {
      const file = truncated(lab, product, length);
      const { code, stderr } = await tproxy(lab, ["upgrade", "-c", proxy.configPath, file], {
        mayFail: true,
      });
      assert.equal(code, 1, `${length} bytes: ${stderr}`);
      assert.match(stderr, /it is no tproxy: /, `${length} bytes`);
    }
    assert.ok(proxy.program.running);
  },
);

labTest("upgrade is root's alone", OPTIONS, async (lab) => {
  const proxy = await startUdpProxy(lab);
  Deno.chmodSync(controlPath(lab).replace(/\/[^/]*$/, ""), 0o755);
  for (const file of [[], [writeTproxy(lab, "a/tproxy")]]) {
    const words = ["upgrade", "-c", proxy.configPath, ...file];
    const { code, stderr } = await lab.router.run(
      ["setpriv", `--reuid=${NOBODY}`, "--clear-groups", ...tproxyCommand(), ...words],
      { mayFail: true, env: { HOME: lab.directory } },
    );
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Cannot upgrade "the proxy": root alone may/);
  }
  assert.ok(proxy.program.running);
});

/** The first bytes of a program. */
function truncated(lab: Lab, program: string, length: number): string {
  using file = Deno.openSync(program);
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) at += file.readSync(bytes.subarray(at)) ?? length;
  const path = lab.writeFile(`cut-${length}`, bytes);
  Deno.chmodSync(path, 0o755);
  return path;
}
