/**
 * The server of the self-test, and a watcher of the packets that reach it.
 * @module
 */
import { EAGAIN, MSG_DONTWAIT, SOCK_DGRAM } from "../../../../ffi/consts.ts";
import { closeFd, openSocket, receiveWithFlags } from "../../../../ffi/sockets/socket.ts";
import { check } from "../../../net/error.ts";
import { formatIp } from "../../../net/ip.ts";
import { NamespaceHost } from "./namespace_host.ts";
import { type Report, SERVICE_PORTS } from "./services.ts";
import { serveUdp } from "./udp_server.ts";

const AF_PACKET = 17;
const ETH_P_ALL = 0x0300; // linux/if_ether.h, in network order

/** The server. */
export class ServerHost extends NamespaceHost {
  #capture = -1;

  /** Listens, for every service but `nothing`; over UDP also on `stranger`, another address of this host. */
  serve(addresses: readonly { hostname: string; stranger: string }[]): void {
    for (const { hostname, stranger } of addresses) {
      serveUdp({ hostname, stranger });
      serveEach(Deno.listen({ hostname, port: SERVICE_PORTS.report }), report);
      serveEach(
        Deno.listen({ hostname, port: SERVICE_PORTS.echo }),
        (connection) => connection.readable.pipeTo(connection.writable),
      );
      serveEach(Deno.listen({ hostname, port: SERVICE_PORTS.count }), count);
    }
  }

  /** Begins to watch the packets that arrive. */
  startCapture(): void {
    const opened = openSocket(AF_PACKET, SOCK_DGRAM, { protocol: ETH_P_ALL });
    this.#capture = check(opened, "open", "a packet socket");
  }

  /** Ends watching: the source addresses of all IP packets since then, each once. */
  stopCapture(): string[] {
    const packet = new Uint8Array(64);
    const sources = new Set<string>();
    for (;;) {
      const length = receiveWithFlags(this.#capture, packet, MSG_DONTWAIT);
      if (length === -EAGAIN) break;
      check(length, "read", "a packet socket");
      const version = packet[0] >> 4;
      if (version === 4) sources.add(formatIp({ family: "ipv4", bytes: packet.slice(12, 16) }));
      if (version === 6) sources.add(formatIp({ family: "ipv6", bytes: packet.slice(8, 24) }));
    }
    closeFd(this.#capture);
    this.#capture = -1;
    return [...sources];
  }
}

async function serveEach(
  listener: Deno.TcpListener,
  handle: (connection: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  for await (const connection of listener) {
    // A client that goes away is the client's business.
    handle(connection).catch(() => {});
  }
}

async function report(connection: Deno.TcpConn): Promise<void> {
  const remote = connection.remoteAddr as Deno.NetAddr;
  const local = connection.localAddr as Deno.NetAddr;
  const text: Report = {
    client: remote.hostname,
    clientPort: remote.port,
    server: local.hostname,
    serverPort: local.port,
  };
  await connection.write(new TextEncoder().encode(JSON.stringify(text)));
  connection.close();
}

async function count(connection: Deno.TcpConn): Promise<void> {
  let bytes = 0;
  const buffer = new Uint8Array(16384);
  for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) bytes += n;
  await connection.write(new TextEncoder().encode(`${bytes}`));
  connection.close();
}
