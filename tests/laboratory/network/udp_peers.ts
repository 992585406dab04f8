/**
 * The usual two of a UDP test: a server that the test answers for, and clients that are connected to it.
 * @module
 */
import assert from "node:assert/strict";
import { OperationError } from "../../../src/net/error.ts";
import { ADDRESSES, type Lab } from "../lab.ts";
import { type ConfigText, type Proxy, type ProxyOptions, startProxy } from "../proxy/proxy.ts";
import { listDescriptors } from "../machine/procfs.ts";
import { at, type Datagram, type UdpSocket } from "./udp_socket.ts";
import { until } from "../machine/wait.ts";

/** A network that is local to the server; {@linkcode addManyServers} makes it so. */
export const MANY_SERVERS = "198.18.0.0/16";

/** `tproxy install` and `run` with UDP and TCP from r0. */
export function startUdpProxy(lab: Lab, config: ConfigText = {}, options: ProxyOptions = {}): Promise<Proxy> {
  const { intercept, ...rest } = config;
  return startProxy(lab, {
    ...options,
    config: {
      ...rest,
      intercept: { protocols: ["tcp", "udp"], ...intercept as ConfigText | undefined },
    },
  });
}

/** A socket of the server's address. */
export function openServer(lab: Lab, family: 4 | 6, port = 7000): UdpSocket {
  return lab.server.udp({ family, bind: at(ADDRESSES[family].server, port) });
}

/** A client's socket that is connected to the server's address: it hears nobody else. */
export function openClient(lab: Lab, family: 4 | 6, port = 7000): UdpSocket {
  return lab.client.udp({ family, connect: at(ADDRESSES[family].server, port) });
}

/** A datagram to the server and one back; gives the `address:port` that the server saw. */
export async function exchange(client: UdpSocket, server: UdpSocket, to?: string): Promise<string> {
  const question = `question ${crypto.randomUUID()}`;
  client.send(question, to);
  const { text, from } = await server.receive();
  assert.equal(text, question);
  const answer = `answer ${crypto.randomUUID()}`;
  server.send(answer, from);
  const reply = await client.receive();
  assert.equal(reply.text, answer);
  if (to !== undefined) assert.equal(reply.from, to);
  return from;
}

/** A datagram that has come to an echo: its sender and its size. */
export interface Seen {
  readonly from: string;
  readonly size: number;
}

/** Answers with what comes until the socket is closed; gives the list of what has come so far. */
export function startEcho(socket: UdpSocket): Seen[] {
  const seen: Seen[] = [];
  const timer = setInterval(() => {
    if (!socket.isOpen) return clearInterval(timer);
    let datagram: Datagram | undefined;
    while ((datagram = socket.poll()) !== undefined) {
      seen.push({ from: datagram.from, size: datagram.data.length });
      socket.send(datagram.data, datagram.from);
    }
  }, 1);
  return seen;
}

/** Makes every address of {@linkcode MANY_SERVERS} the server's, reached through the router. */
export async function addManyServers(lab: Lab): Promise<void> {
  await lab.server.ip(`route add local ${MANY_SERVERS} dev lo`);
  await lab.router.ip(`route add ${MANY_SERVERS} via ${ADDRESSES[4].server}`);
}

/** Sockets that the proxy has open, but for those of netlink, which workers open when they need them. */
export function socketCount(proxy: Proxy): number {
  const netlink = new Set(
    Deno.readTextFileSync(`/proc/${proxy.pid}/net/netlink`).split("\n").map((line) =>
      line.trim().split(/\s+/).at(-1)
    ),
  );
  return listDescriptors(proxy.pid).filter((descriptor) => {
    const [, inode] = / socket:\[(\d+)\]$/.exec(descriptor) ?? [];
    return inode !== undefined && !netlink.has(inode);
  }).length;
}

/** The `address:port` that UDP sockets in the router are bound to. */
export async function boundEndpoints(lab: Lab): Promise<string[]> {
  const { stdout } = await lab.router.run(["ss", "-Huan"]);
  return stdout.split("\n").filter((line) => line !== "").map((line) => line.split(/\s+/)[3]);
}

/** Waits until a socket in the router is bound to the client's endpoint, or none is. */
export async function waitForBound(lab: Lab, endpoint: string, bound: boolean): Promise<void> {
  await until(async () => (await boundEndpoints(lab)).includes(endpoint) === bound, {
    what: `${endpoint} to be ${bound ? "bound" : "free"} in the router`,
    pollMs: 50,
  });
}

/**
 * Sends a datagram to the server and returns its fate: it arrives there, or the client is told, or neither.
 */
export async function fateOf(client: UdpSocket, server: UdpSocket, waitMs = 300): Promise<string> {
  try {
    client.send("whither");
    if (await server.receiveWithin(waitMs) !== undefined) return "forwarded";
    return client.poll() === undefined ? "lost" : "answered";
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return error.code;
  }
}
