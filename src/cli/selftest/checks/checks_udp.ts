/**
 * Checks of UDP.
 * @module
 */
import { type Family, formatEndpoint, parseIp } from "../../../net/ip.ts";
import { type CheckContext, CheckFailure, expect, expectSeen, target } from "./check.ts";
import { killProxy, withForwarding, withMasquerade, withStrictReversePath } from "../conditions.ts";
import { ADDRESSES } from "../addresses.ts";
import type { Talk, Target } from "./outcome.ts";
import { type Report, SERVICE_PORTS } from "../hosts/services.ts";
import type { Step } from "../hosts/udp_client.ts";

/**
 * Nothing is sent twice: what has not come by then is lost. The largest takes an emulated arm64 processor 1.1
 * s.
 */
const TIMEOUT_MS = 5000;
const SILENCE_MS = 300;
/** Bytes of payload that make an IP packet of 65,535 bytes, header included. */
const LARGEST: Readonly<Record<Family, number>> = { ipv4: 65_507, ipv6: 65_487 };

function say({ kind, replies }: Talk): string {
  if (replies.length === 0) return kind;
  return `${kind} after ${replies.map(({ from, text }) => `${text} from ${from}`).join(", then ")}`;
}

function toText({ hostname, port }: Target): string {
  return formatEndpoint({ address: parseIp(hostname)!, port });
}

/** Expects all replies, each from the right address. */
async function converse(
  { network }: CheckContext,
  steps: readonly Step[],
  senders: readonly Target[],
): Promise<Talk> {
  const spoken = await network.client.talk(steps, { timeoutMs: TIMEOUT_MS });
  const expected = senders.map(toText);
  // First, as a reply from a wrong sender tells more than the silence of the right one.
  const wrong = spoken.replies.findIndex(({ from }, i) => from !== expected[i]);
  expect(
    wrong < 0,
    `reply ${wrong + 1} came from ${spoken.replies[wrong]?.from}, not from ${expected[wrong]}`,
  );
  expect(spoken.kind === "ok", say(spoken));
  return spoken;
}

/** Asks services that report, from one socket: each must see `client` with the socket's own port. */
async function expectReports(
  context: CheckContext,
  servers: readonly Target[],
  client: string,
): Promise<string> {
  const steps = servers.map((to) => ({ to, replies: 1 }));
  const { replies, localPort } = await converse(context, steps, servers);
  const seen = replies.map(({ text }, i) =>
    expectSeen(JSON.parse(text) as Report, { server: servers[i], client, localPort })
  );
  return seen[0];
}

function reporters(family: Family): Target[] {
  return [target(family, SERVICE_PORTS.report), target(family, SERVICE_PORTS.secondReport)];
}

/** Expects that no answer comes. */
export async function expectSilence(
  { network }: CheckContext,
  family: Family,
  forMs = SILENCE_MS,
): Promise<void> {
  const step = { to: target(family, SERVICE_PORTS.report), replies: 1 };
  const spoken = await network.client.talk([step], { timeoutMs: forMs });
  expect(spoken.kind === "timeout", `nobody forwards, and yet ${family}, UDP: ${say(spoken)}`);
}

/** The server sees the client's address and port, and answers from where the client sent to. */
export function clientSeen(context: CheckContext, family: Family): Promise<string> {
  return expectReports(context, reporters(family).slice(0, 1), ADDRESSES[family].client);
}

/**
 * Two servers see the same port of one client socket: endpoint-independent mapping (RFC 4787, section 4.1).
 */
export function oneMapping(context: CheckContext, family: Family): Promise<string> {
  return expectReports(context, reporters(family), ADDRESSES[family].client);
}

/**
 * A datagram that takes many fragments comes back as it was. It is no flow's first: a question of the kernel
 * has no room for its last four bytes.
 */
export function largestDatagram(context: CheckContext, family: Family): Promise<string> {
  return exchange(context, family, { bytes: LARGEST[family], second: true });
}

/** A datagram without payload reaches the server and comes back. */
export async function emptyDatagram(context: CheckContext, family: Family): Promise<void> {
  await exchange(context, family, { bytes: 0, second: false });
}

async function exchange(
  { network }: CheckContext,
  family: Family,
  { bytes, second }: { bytes: number; second: boolean },
): Promise<string> {
  const to = target(family, SERVICE_PORTS.echo);
  const outcome = await network.client.exchangeDatagram(to, { bytes, second, timeoutMs: TIMEOUT_MS });
  if (outcome.kind === "error") throw new CheckFailure(outcome.text);
  expect(outcome.kind === "ok", outcome.kind);
  return `${bytes} bytes`;
}

/** Expects that the client learns of a port where nobody listens. */
export function refused(context: CheckContext, family: Family): Promise<void> {
  return expectRefusal(context, target(family, SERVICE_PORTS.nothing));
}

async function expectRefusal({ network }: CheckContext, to: Target): Promise<void> {
  const spoken = await network.client.talk([{ to, replies: 1 }], { timeoutMs: TIMEOUT_MS, connected: true });
  expect(spoken.kind === "refused", say(spoken));
}

/**
 * Expects that a stranger does not reach the client before the client has written to it. At each knock the
 * stranger sends before the server answers: the answer tells that the stranger's datagram has been on its
 * way. Once the client has written to the stranger it gets through, to the same port.
 */
export async function stranger(context: CheckContext, family: Family): Promise<void> {
  const knock = target(family, SERVICE_PORTS.knock);
  const strange = { hostname: ADDRESSES[family].stranger, port: SERVICE_PORTS.report };
  const steps = [{ to: knock, replies: 1 }, { to: strange, replies: 1 }, { to: knock, replies: 2 }];
  await converse(context, steps, [knock, strange, strange, knock]);
}

/** The same as {@linkcode clientSeen} where the reverse path is checked. */
export function strictReversePath(context: CheckContext, family: Family): Promise<string> {
  return withStrictReversePath(context, () => clientSeen(context, family));
}

/** Behind masquerade servers see the router's address, the client's port, and nothing else. */
export function masquerade(context: CheckContext, family: Family): Promise<string> {
  const { wan } = ADDRESSES[family];
  return withMasquerade(context, family, () => expectReports(context, reporters(family), wan));
}

/** Without a proxy, datagrams pass where the router forwards, and only there. */
export async function failOpen(context: CheckContext, family: Family): Promise<void> {
  await killProxy(context);
  await expectSilence(context, family);
  await withForwarding(context, () => clientSeen(context, family));
}

/**
 * Without a proxy, and with on-failure reset, the client gets a port unreachable though the router would
 * forward.
 */
export async function failReset(context: CheckContext, family: Family): Promise<void> {
  await withForwarding(context, () => expectRefusal(context, target(family, SERVICE_PORTS.report)));
}
