/** The process that changes the kernel's rules for a proxy that may not: its end, and the proxy's. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { listChildren } from "../../laboratory/machine/procfs.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { serve, socatServer } from "../../laboratory/network/sockets.ts";
import { type Proxy, startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { labTest, type LabTestOptions } from "../../laboratory/register.ts";

const OPTIONS: LabTestOptions = {
  programs: ["socat", "nft"],
  netlinkOnly: "with iptables it stays root",
  ...Deno.env.get("TPROXY_BIN") === undefined
    ? { obstacle: "needs the single file: TPROXY_BIN names none" }
    : {},
};
const LIVE = "table inet transparent_proxy_live";
const OPEN = { config: { intercept: { "on-failure": "open" } } };
/** Elements of a rule set that does not fit into one message. */
const MANY = 20_000;

function nameOf(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/comm`).trim();
  } catch {
    return "";
  }
}

function serverOf({ pid }: Proxy): number {
  const server = listChildren(pid).find((child) => nameOf(child) === "tproxy-netlink");
  assert.ok(server !== undefined);
  return server;
}

async function tables(lab: Lab): Promise<string> {
  return (await lab.router.run(["nft", "list", "tables"])).stdout;
}

async function echoes(lab: Lab): Promise<void> {
  const { stdout } = await lab.client.run(["socat", "-t5", "-", socatServer(4, 7000)], { input: "hello\n" });
  assert.equal(stdout, "hello\n");
}

labTest(
  "a proxy whose rules nobody changes any more ends with an error, and leaves traffic alone",
  OPTIONS,
  async (lab) => {
    await serve(lab, 7000, "cat");
    const proxy = await startProxy(lab, OPEN);
    await proxy.program.waitForOutput("privileges: ");
    await echoes(lab);
    await lab.openGuard();
    Deno.kill(serverOf(proxy), "SIGKILL");
    assert.equal(await proxy.program.waitForExit(), 1, proxy.log);
    assert.match(proxy.log, /the process that changes them for this one \(tproxy-netlink\) has ended/);
    assert.doesNotMatch(await tables(lab), new RegExp(`^${LIVE}$`, "m"));
    await echoes(lab);
    await tproxy(lab, ["uninstall"]);
  },
);

labTest("kill -9 of the proxy ends who changes its rules, and takes them away", OPTIONS, async (lab) => {
  await serve(lab, 7000, "cat");
  const proxy = await startProxy(lab, OPEN);
  await proxy.program.waitForOutput("privileges: ");
  const server = serverOf(proxy);
  assert.match(await tables(lab), new RegExp(`^${LIVE}$`, "m"));
  await lab.openGuard();
  Deno.kill(proxy.pid, "SIGKILL");
  await proxy.program.waitForExit();
  await until(() => nameOf(server) === "", { what: "the server's end" });
  assert.doesNotMatch(await tables(lab), new RegExp(`^${LIVE}$`, "m"));
  await echoes(lab);
  await tproxy(lab, ["uninstall"]);
});

labTest(
  "rules of many addresses go to the kernel by way of the server, and are healed",
  OPTIONS,
  async (lab) => {
    await serve(lab, 7000, "cat");
    const list = Array.from({ length: MANY }, (_, at) => `198.18.${at >> 8 & 0xff}.${at & 0xfe}/32`);
    const to = [...new Set(list)];
    const proxy = await startProxy(lab, {
      install: false,
      arguments: ["--install"],
      config: { rules: [{ name: "far", to, action: "bypass" }] },
    });
    await proxy.program.waitForOutput("the rules are installed");
    await proxy.program.waitForOutput("privileges: ");
    await echoes(lab);
    await lab.router.run(["nft", "delete", "table", "inet", "transparent_proxy"]);
    await proxy.program.waitForOutput("rules were missing and are there again");
    const { stdout } = await lab.router.run(["nft", "list", "table", "inet", "transparent_proxy"]);
    assert.match(stdout, /198\.18\./);
    await echoes(lab);
    proxy.program.signal("SIGTERM");
    assert.equal(await proxy.program.waitForExit(), 0, proxy.log);
    await tproxy(lab, ["uninstall"]);
  },
);
