/**
 * Checks of `intercept.router-traffic`: the router's own programs talk to the server.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import { type CheckContext, CheckSkip, expect, target } from "./check.ts";
import { killProxy } from "../conditions.ts";
import { ADDRESSES } from "../addresses.ts";
import type { Target } from "./outcome.ts";
import { type Report, SERVICE_PORTS } from "../hosts/services.ts";

const TIMEOUT_MS = 5000;

/** `tproxy install` over what is installed, and `tproxy run`, with the router's own traffic. */
export async function start(context: CheckContext): Promise<void> {
  if (!context.routerTraffic) throw new CheckSkip("this backend does not intercept it");
  const { router } = context.network;
  await killProxy(context);
  const { code, output } = await router.runTproxy(context.tproxy("install", "router"));
  expect(code === 0, `exit code ${code}: ${output}`);
  context.network.proxyPid = await router.startProxy(context.tproxy("run", "router"));
}

/** Over TCP the server sees the router's address, with a port of the proxy. */
export async function tcp(context: CheckContext, family: Family): Promise<string> {
  const server = reporter(context, family);
  const outcome = await context.network.router.ask(server, { timeoutMs: TIMEOUT_MS });
  if (outcome.kind !== "ok") throw new Error("text" in outcome ? outcome.text : outcome.kind);
  return expectProxied(JSON.parse(outcome.text) as Report, { server, family, localPort: outcome.localPort });
}

/** The same over UDP. */
export async function udp(context: CheckContext, family: Family): Promise<string> {
  const server = reporter(context, family);
  const { kind, replies, localPort } = await context.network.router.talk([{ to: server, replies: 1 }], {
    timeoutMs: TIMEOUT_MS,
  });
  expect(kind === "ok", kind);
  return expectProxied(JSON.parse(replies[0].text) as Report, { server, family, localPort });
}

function reporter({ routerTraffic, network }: CheckContext, family: Family): Target {
  if (!routerTraffic) throw new CheckSkip("this backend does not intercept it");
  expect(network.proxyPid !== undefined, "no proxy runs");
  return target(family, SERVICE_PORTS.report);
}

function expectProxied(
  report: Report,
  { server, family, localPort }: { server: Target; family: Family; localPort: number },
): string {
  const seen = `the server sees ${report.client} port ${report.clientPort}`;
  expect(report.server === server.hostname && report.serverPort === server.port, JSON.stringify(report));
  expect(report.client === ADDRESSES[family].wan, seen);
  expect(
    report.clientPort !== localPort,
    `${seen}, which is the program's own: the proxy was not in the path`,
  );
  return seen;
}
