/**
 * Checks of what administrators have on their routers: a flow must end as it would have ended without a
 * proxy.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import { ADDRESSES } from "../addresses.ts";
import { killProxy } from "../conditions.ts";
import { HostError } from "../hosts/remote.ts";
import { type Report, SERVICE_PORTS } from "../hosts/services.ts";
import type { Surrounding } from "../router/surroundings.ts";
import { type CheckContext, CheckSkip, type ConfigName, expect, expectSeen, target } from "./check.ts";
import * as tcp from "./checks_tcp.ts";
import * as udp from "./checks_udp.ts";

const TIMEOUT_MS = 5000;

/** With rules of that kind. */
async function surrounded<T>(context: CheckContext, name: Surrounding, work: () => Promise<T>): Promise<T> {
  const { router } = context.network;
  try {
    await router.surround(name);
  } catch (error) {
    throw new CheckSkip(`this kernel cannot have such rules: ${(error as Error).message}`);
  }
  try {
    return await work();
  } finally {
    await router.surround();
  }
}

function needsForwardPath({ admission }: CheckContext): void {
  if (admission === "early") throw new CheckSkip("flows are taken before that (admission: early)");
}

/** TCP and UDP both reach the server, which sees the client. */
async function bothSeen(context: CheckContext, family: Family): Promise<string> {
  const overTcp = await named("TCP", () => tcp.clientSeen(context, family));
  await named("UDP", () => udp.clientSeen(context, family));
  return overTcp;
}

/** Says which of both it was. */
async function named<T>(protocol: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CheckSkip || !(error instanceof Error)) throw error;
    error.message = `${protocol}: ${error.message}`;
    throw error;
  }
}

/** A forward rule refuses one service: the client is refused there, and served elsewhere. */
export function forwardReject(context: CheckContext, family: Family): Promise<string> {
  needsForwardPath(context);
  return surrounded(context, "forward-reject", async () => {
    const { client } = context.network;
    const outcome = await client.ask(target(family, SERVICE_PORTS.echo), {
      send: "x",
      timeoutMs: TIMEOUT_MS,
    });
    expect(outcome.kind === "refused", `expected a refusal by the forward rule, and saw ${outcome.kind}`);
    return await bothSeen(context, family);
  });
}

/** A redirection leads to another port: the service there answers. */
export function dnat(context: CheckContext, family: Family): Promise<string> {
  needsForwardPath(context);
  return surrounded(context, "dnat", async () => {
    const { client } = context.network;
    const asked = target(family, SERVICE_PORTS.nothing);
    const server = target(family, SERVICE_PORTS.report);
    const outcome = await client.ask(asked, { timeoutMs: TIMEOUT_MS });
    const seen = outcome.kind === "ok" ? outcome.text : outcome.kind;
    expect(outcome.kind === "ok", `TCP: expected the report that the redirection leads to, and saw ${seen}`);
    const { localPort } = outcome as { localPort: number };
    const { client: address } = ADDRESSES[family];
    const text = expectSeen(JSON.parse(seen) as Report, { server, client: address, localPort });
    const { kind, replies } = await client.talk([{ to: asked, replies: 1 }], { timeoutMs: TIMEOUT_MS });
    const port = kind === "ok" ? (JSON.parse(replies[0].text) as Report).serverPort : kind;
    expect(port === server.port, `UDP: expected port ${server.port} to answer, and saw ${port}`);
    return text;
  });
}

/** Clients have a way of their own by the incoming interface; the router has none. */
export async function routesByInterface(context: CheckContext, family: Family): Promise<string> {
  needsForwardPath(context);
  const { router } = context.network;
  await router.setPolicyRoutes("interface", true);
  try {
    return await bothSeen(context, family);
  } finally {
    await router.setPolicyRoutes("interface", false);
  }
}

/** The same by a mark that another program sets. */
export function routesByMark(context: CheckContext, family: Family): Promise<string> {
  needsForwardPath(context);
  const { router } = context.network;
  return surrounded(context, "marks", async () => {
    await router.setPolicyRoutes("mark", true);
    try {
      return await bothSeen(context, family);
    } finally {
      await router.setPolicyRoutes("mark", false);
    }
  });
}

/** The router takes nothing new for itself but from the loopback. */
export function inputDrop(context: CheckContext, family: Family): Promise<string> {
  needsForwardPath(context);
  return surrounded(context, "input-drop", () => bothSeen(context, family));
}

/** The router itself may begin nothing. */
export function outputDrop(context: CheckContext, family: Family): Promise<string> {
  needsForwardPath(context);
  return surrounded(context, "output-drop", () => bothSeen(context, family));
}

/** Every connection is answered with a cookie. */
export async function synCookies(context: CheckContext, family: Family): Promise<string> {
  needsForwardPath(context);
  const { router } = context.network;
  await router.writeSysctls({ "ipv4/tcp_syncookies": 2 });
  try {
    return await tcp.clientSeen(context, family);
  } finally {
    await router.writeSysctls({ "ipv4/tcp_syncookies": 1 });
  }
}

/** Makes the LAN side a bridge, and installs and runs there. */
export async function startOnBridge(context: CheckContext): Promise<void> {
  try {
    await context.network.router.setBridge(true);
  } catch (error) {
    if (!(error instanceof HostError) || error.missingModule === "") throw error;
    throw new CheckSkip(`this kernel cannot have a bridge: ${error.message}`);
  }
  await restart(context, "bridge");
}

/** Puts the LAN side back, and the install before. */
export async function leaveBridge(context: CheckContext): Promise<void> {
  await needsBridge(context);
  await context.network.router.setBridge(false);
  await restart(context, "open");
}

async function needsBridge({ network }: CheckContext): Promise<void> {
  if (!await network.router.hasBridge()) throw new CheckSkip("there is no bridge");
}

async function restart(context: CheckContext, config: ConfigName): Promise<void> {
  const { router } = context.network;
  await killProxy(context);
  const { code, output } = await router.runTproxy(context.tproxy("install", config));
  expect(code === 0, `exit code ${code}: ${output}`);
  context.network.proxyPid = await router.startProxy(context.tproxy("run", config));
}

/** Flows from a bridge, whose frames pass no rules by themselves. */
export function bridge(context: CheckContext, family: Family): Promise<string> {
  return bridged(context, family, 0);
}

/** Flows from a bridge, whose frames pass the rules in it already, as beside Docker. */
export async function filteredBridge(context: CheckContext, family: Family): Promise<string> {
  needsForwardPath(context);
  return await bridged(context, family, 1);
}

async function bridged(context: CheckContext, family: Family, value: 0 | 1): Promise<string> {
  await needsBridge(context);
  const { router } = context.network;
  if (!await router.hasBridgeFilter()) {
    if (value === 1) throw new CheckSkip("br_netfilter is not loaded");
    return await bothSeen(context, family);
  }
  const names = ["bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"];
  const before = await router.readSysctls(names);
  await router.writeSysctls(Object.fromEntries(names.map((name) => [name, value])));
  try {
    return await bothSeen(context, family);
  } finally {
    await router.writeSysctls(before);
  }
}
