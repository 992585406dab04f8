/**
 * Checks of TCP.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import { type CheckContext, CheckFailure, expect, expectSeen, SILENCE_MS, target } from "./check.ts";
import { killProxy, withForwarding, withMasquerade, withStrictReversePath } from "../conditions.ts";
import { ADDRESSES } from "../addresses.ts";
import type { Outcome } from "./outcome.ts";
import { type Report, SERVICE_PORTS } from "../hosts/services.ts";

const TIMEOUT_MS = 5000;
const MEBIBYTE = 1 << 20;
/** An emulated arm64 processor, which is slower than any router's, takes 4.4 s for it. */
const EXCHANGE_MS = 20_000;

function say(outcome: Outcome): string {
  return outcome.kind === "ok" || outcome.kind === "error"
    ? `${outcome.kind}: ${outcome.text}`
    : outcome.kind;
}

/** A connection that was opened long ago still carries data. */
export async function echoOnFlow({ network }: CheckContext, family: Family): Promise<void> {
  const outcome = await network.client.echoOnFlow(family, { send: "still here", timeoutMs: TIMEOUT_MS });
  expect(outcome.kind === "ok" && outcome.text === "still here", say(outcome));
}

/** Expects that no answer comes. */
export async function expectSilence({ network }: CheckContext, family: Family, forMs: number): Promise<void> {
  const outcome = await network.client.ask(target(family, SERVICE_PORTS.report), { timeoutMs: forMs });
  expect(outcome.kind === "timeout", `nobody forwards, and yet ${family}, TCP: ${say(outcome)}`);
}

async function expectReport({ network }: CheckContext, family: Family, client: string): Promise<string> {
  const server = target(family, SERVICE_PORTS.report);
  const outcome = await network.client.ask(server, { timeoutMs: TIMEOUT_MS });
  if (outcome.kind !== "ok") throw new CheckFailure(say(outcome));
  return expectSeen(JSON.parse(outcome.text) as Report, { server, client, localPort: outcome.localPort });
}

/** The server sees the client's address and port. */
export function clientSeen(context: CheckContext, family: Family): Promise<string> {
  return expectReport(context, family, ADDRESSES[family].client);
}

/** A mebibyte to the server and back at the same time. */
export async function exchange({ network }: CheckContext, family: Family): Promise<void> {
  const outcome = await network.client.exchange(target(family, SERVICE_PORTS.echo), {
    bytes: MEBIBYTE,
    timeoutMs: EXCHANGE_MS,
  });
  expect(outcome.kind === "ok", say(outcome));
}

/** The server sees the client's end and can still answer. */
export async function halfClose({ network }: CheckContext, family: Family): Promise<void> {
  const send = "x".repeat(100_000);
  const outcome = await network.client.ask(target(family, SERVICE_PORTS.count), {
    send,
    timeoutMs: TIMEOUT_MS,
  });
  expect(outcome.kind === "ok" && outcome.text === `${send.length}`, say(outcome));
}

/** Expects that the client learns of a port where nobody listens. */
export async function refused({ network }: CheckContext, family: Family): Promise<string> {
  const outcome = await network.client.ask(target(family, SERVICE_PORTS.nothing), { timeoutMs: TIMEOUT_MS });
  // The proxy has accepted before it knows: the client sees a reset, never an orderly end.
  expect(outcome.kind === "refused" || outcome.kind === "reset", say(outcome));
  return outcome.kind;
}

/** The same as {@linkcode clientSeen} where the reverse path is checked. */
export function strictReversePath(context: CheckContext, family: Family): Promise<string> {
  return withStrictReversePath(context, () => clientSeen(context, family));
}

/** Behind masquerade the server sees the router's address, the client's port, and nothing else. */
export function masquerade(context: CheckContext, family: Family): Promise<string> {
  return withMasquerade(context, family, () => expectReport(context, family, ADDRESSES[family].wan));
}

/** Without a proxy, connections pass where the router forwards, and only there. */
export async function failOpen(context: CheckContext, family: Family): Promise<void> {
  await killProxy(context);
  await expectSilence(context, family, SILENCE_MS);
  await withForwarding(context, () => clientSeen(context, family));
}

/** Without a proxy, and with on-failure reset, the client is refused though the router would forward. */
export async function failReset(context: CheckContext, family: Family): Promise<void> {
  await withForwarding(context, async () => {
    const outcome = await context.network.client.ask(target(family, SERVICE_PORTS.report), {
      timeoutMs: TIMEOUT_MS,
    });
    expect(outcome.kind === "refused", say(outcome));
  });
}
