/**
 * What the self-test checks, in order. Each check is one row of the result; it throws {@linkcode CheckFailure} with what was seen,
 * or {@linkcode CheckSkip} with the reason.
 * @module
 */
import type { Family } from "../../net/ip.ts";
import type { Outcome } from "./client_host.ts";
import { ADDRESSES, type Network } from "./network.ts";
import type { ProgramCall } from "./router_host.ts";
import { type Report, SERVICE_PORTS } from "./server_host.ts";

/** What was seen was not what was expected. */
export class CheckFailure extends Error {}
/** The check cannot be made here. */
export class CheckSkip extends Error {}

/** What the checks work with. */
export interface CheckContext {
  readonly network: Network;
  /** How to start tproxy with these arguments and the config for this policy. */
  tproxy(command: "install" | "run", onFailure: "open" | "reset"): ProgramCall;
  readonly uninstall: ProgramCall;
  /** The router's kernel state before the first install. */
  before: readonly string[];
}

/** A row: what must hold, and how it is seen. It returns a remark, or nothing. */
export interface Check {
  readonly name: string;
  /** If it fails, those after it cannot be made. */
  readonly essential?: boolean;
  /** It is made in any case. */
  readonly cleanup?: boolean;
  run(context: CheckContext): Promise<string | void>;
}

const TIMEOUT_MS = 5000;
/** A packet that is dropped never comes: this long is waited for it. */
const SILENCE_MS = 700;
const MEBIBYTE = 1 << 20;

/** All checks. The order matters: each leaves the network as the next wants it. */
export const CHECKS: readonly Check[] = [
  { name: "flows opened before the install", essential: true, run: openFlows },
  { name: "the router forwards no new flow by itself", run: expectNoForwarding },
  { name: "install", essential: true, run: install },
  ...eachFamily("established flow survives install", (context, family) => echoOnFlow(context, family)),
  { name: "run", essential: true, run: startProxy },
  ...eachFamily("TCP: original destination and client's address", expectClientSeen),
  ...eachFamily("TCP: 1 MiB each way intact", exchange),
  ...eachFamily("TCP: half-close", halfClose),
  ...eachFamily("TCP: refused port gives refusal", refused),
  ...eachFamily("src_valid_mark=1, rp_filter=1", strictReversePath),
  ...eachFamily("masquerade: nothing leaks", masquerade),
  ...eachFamily("proxy killed, on-failure open: forwarded", failOpen),
  ...eachFamily("proxy killed, on-failure reset: refused", failReset),
  { name: "uninstall leaves nothing", cleanup: true, run: uninstall },
  ...eachFamily("established flow survives uninstall", (context, family) => echoOnFlow(context, family)),
];

function eachFamily(
  name: string,
  run: (context: CheckContext, family: Family) => Promise<string | void>,
): Check[] {
  return (["ipv4", "ipv6"] as const).map((family) => ({
    name: `${name}, ${family === "ipv4" ? "IPv4" : "IPv6"}`,
    run: (context) => {
      if (family === "ipv6" && !context.network.ipv6) throw new CheckSkip("IPv6 is off in this kernel");
      return run(context, family);
    },
  }));
}

function families({ network }: CheckContext): Family[] {
  return network.ipv6 ? ["ipv4", "ipv6"] : ["ipv4"];
}

function target(family: Family, port: number): { hostname: string; port: number } {
  return { hostname: ADDRESSES[family].server, port };
}

function say(outcome: Outcome): string {
  return outcome.kind === "ok" || outcome.kind === "error"
    ? `${outcome.kind}: ${outcome.text}`
    : outcome.kind;
}

function expect(condition: boolean, seen: string): void {
  if (!condition) throw new CheckFailure(seen);
}

async function openFlows(context: CheckContext): Promise<void> {
  const { client, router } = context.network;
  await router.setForwardPolicy("accept");
  for (const family of families(context)) {
    await client.openFlow(family, target(family, SERVICE_PORTS.echo));
    await echoOnFlow(context, family);
  }
  await router.setForwardPolicy("drop");
}

async function echoOnFlow({ network }: CheckContext, family: Family): Promise<void> {
  const outcome = await network.client.echoOnFlow(family, { send: "still here", timeoutMs: TIMEOUT_MS });
  expect(outcome.kind === "ok" && outcome.text === "still here", say(outcome));
}

async function expectNoForwarding(context: CheckContext): Promise<void> {
  for (const family of families(context)) {
    const outcome = await context.network.client.ask(target(family, SERVICE_PORTS.report), {
      timeoutMs: SILENCE_MS,
    });
    expect(outcome.kind === "timeout", `${family}: ${say(outcome)}`);
  }
}

async function install(context: CheckContext): Promise<void> {
  context.before = await context.network.router.snapshot();
  await mustRun(context, context.tproxy("install", "open"));
}

async function mustRun({ network }: CheckContext, call: ProgramCall): Promise<string> {
  const { code, output } = await network.router.runTproxy(call);
  expect(code === 0, `exit code ${code}: ${output}`);
  return output;
}

async function startProxy({ network, tproxy }: CheckContext): Promise<void> {
  network.proxyPid = await network.router.startProxy(tproxy("run", "open"));
}

async function askReport({ network }: CheckContext, family: Family): Promise<Report & { localPort: number }> {
  const outcome = await network.client.ask(target(family, SERVICE_PORTS.report), { timeoutMs: TIMEOUT_MS });
  if (outcome.kind !== "ok") throw new CheckFailure(say(outcome));
  return { ...JSON.parse(outcome.text) as Report, localPort: outcome.localPort };
}

async function expectClientSeen(context: CheckContext, family: Family): Promise<string> {
  const report = await askReport(context, family);
  const seen = `the server sees ${report.client} port ${report.clientPort}`;
  expect(
    report.server === ADDRESSES[family].server && report.serverPort === SERVICE_PORTS.report,
    JSON.stringify(report),
  );
  expect(report.client === ADDRESSES[family].client, seen);
  expect(report.clientPort === report.localPort, `${seen}, the client had ${report.localPort}`);
  return seen;
}

async function exchange({ network }: CheckContext, family: Family): Promise<void> {
  const outcome = await network.client.exchange(target(family, SERVICE_PORTS.echo), {
    bytes: MEBIBYTE,
    timeoutMs: TIMEOUT_MS,
  });
  expect(outcome.kind === "ok", say(outcome));
}

async function halfClose({ network }: CheckContext, family: Family): Promise<void> {
  const send = "x".repeat(100_000);
  const outcome = await network.client.ask(target(family, SERVICE_PORTS.count), {
    send,
    timeoutMs: TIMEOUT_MS,
  });
  expect(outcome.kind === "ok" && outcome.text === `${send.length}`, say(outcome));
}

async function refused({ network }: CheckContext, family: Family): Promise<string> {
  const outcome = await network.client.ask(target(family, SERVICE_PORTS.nothing), { timeoutMs: TIMEOUT_MS });
  // The proxy has accepted before it knows: the client sees a reset, never an orderly end.
  expect(outcome.kind === "refused" || outcome.kind === "reset", say(outcome));
  return outcome.kind;
}

async function strictReversePath(context: CheckContext, family: Family): Promise<void> {
  const { router } = context.network;
  const names = ["all", "r0", "r1"].flatMap((link) => [
    `ipv4/conf/${link}/src_valid_mark`,
    `ipv4/conf/${link}/rp_filter`,
  ]);
  await router.writeSysctls(Object.fromEntries(names.map((name) => [name, 1])));
  try {
    await expectClientSeen(context, family);
  } finally {
    await router.writeSysctls(Object.fromEntries(names.map((name) => [name, 0])));
  }
}

async function masquerade(context: CheckContext, family: Family): Promise<string> {
  const { router, server } = context.network;
  try {
    await router.setMasquerade(true);
  } catch (error) {
    throw new CheckSkip(`this kernel cannot masquerade: ${(error as Error).message}`);
  }
  try {
    await server.startCapture();
    const report = await askReport(context, family);
    const sources = await server.stopCapture();
    const { client, wan } = ADDRESSES[family];
    expect(sources.includes(wan), `no packet from ${wan} reached the server, but from ${sources.join(", ")}`);
    expect(!sources.includes(client), `a packet from ${client} reached the server`);
    expect(report.client === wan, `the server sees ${report.client}`);
    return `the server sees ${report.client} port ${report.clientPort}`;
  } finally {
    await router.setMasquerade(false);
  }
}

async function failOpen(context: CheckContext, family: Family): Promise<void> {
  const { router, client } = context.network;
  await router.endProxy("SIGKILL");
  context.network.proxyPid = undefined;
  const target4 = target(family, SERVICE_PORTS.report);
  const dropped = await client.ask(target4, { timeoutMs: SILENCE_MS });
  expect(dropped.kind === "timeout", `nobody forwards, and yet: ${say(dropped)}`);
  await router.setForwardPolicy("accept");
  try {
    await expectClientSeen(context, family);
  } finally {
    await router.setForwardPolicy("drop");
  }
}

async function failReset(context: CheckContext, family: Family): Promise<void> {
  const { router, client } = context.network;
  await mustRun(context, context.tproxy("install", "reset"));
  await router.setForwardPolicy("accept");
  try {
    const outcome = await client.ask(target(family, SERVICE_PORTS.report), { timeoutMs: TIMEOUT_MS });
    expect(outcome.kind === "refused", say(outcome));
  } finally {
    await router.setForwardPolicy("drop");
  }
}

async function uninstall(context: CheckContext): Promise<void> {
  await mustRun(context, context.uninstall);
  const after = new Set(await context.network.router.snapshot());
  const before = new Set(context.before);
  const added = [...after].filter((line) => !before.has(line));
  const removed = [...before].filter((line) => !after.has(line));
  expect(
    added.length + removed.length === 0,
    [
      ...added.map((line) => `left: ${line}`),
      ...removed.map((line) => `gone: ${line}`),
    ].join("; "),
  );
}
