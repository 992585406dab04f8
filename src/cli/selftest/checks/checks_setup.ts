/**
 * Checks of install, run and uninstall, and of flows that are older than them.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import { type CheckContext, expect, families, SILENCE_MS, target } from "./check.ts";
import * as tcp from "./checks_tcp.ts";
import * as udp from "./checks_udp.ts";
import { withForwarding } from "../conditions.ts";
import type { ProgramCall } from "../hosts/router_host.ts";
import { SERVICE_PORTS } from "../hosts/services.ts";

/** Opens the connections that all that follows must not cut. */
export async function openFlows(context: CheckContext): Promise<void> {
  const { client } = context.network;
  await withForwarding(context, async () => {
    for (const family of families(context)) {
      await client.openFlow(family, target(family, SERVICE_PORTS.echo));
      await tcp.echoOnFlow(context, family);
    }
  });
}

/** Waits for what must not come, over both protocols in both families at once. */
export async function expectNoForwarding(context: CheckContext): Promise<void> {
  const silent = (family: Family) => [
    tcp.expectSilence(context, family, SILENCE_MS),
    udp.expectSilence(context, family, SILENCE_MS),
  ];
  await Promise.all(families(context).flatMap(silent));
}

/** `tproxy install`, for the first time; with what the rules are in as the remark. */
export async function install(context: CheckContext): Promise<string> {
  context.before = await context.network.router.snapshot();
  const output = await mustRun(context, context.tproxy("install", "open"));
  return /^ +kernel +(.*?),/m.exec(output)?.[1] ?? "";
}

/** `tproxy install` over what is installed, with another policy. */
export async function installReset(context: CheckContext): Promise<void> {
  await mustRun(context, context.tproxy("install", "reset"));
}

async function mustRun({ network }: CheckContext, call: ProgramCall): Promise<string> {
  const { code, output } = await network.router.runTproxy(call);
  expect(code === 0, `exit code ${code}: ${output}`);
  return output;
}

/** `tproxy run`, until it is ready. */
export async function startProxy({ network, tproxy }: CheckContext): Promise<void> {
  network.proxyPid = await network.router.startProxy(tproxy("run", "open"));
}

/** The end of the proxy, then `tproxy uninstall`; the router is then as it was before. */
export async function uninstall(context: CheckContext): Promise<void> {
  await context.network.router.endProxy("SIGTERM");
  context.network.proxyPid = undefined;
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
