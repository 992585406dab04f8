/**
 * UDP services of the self-test's server.
 * @module
 */
import { formatIp, parseIp } from "../../../net/ip.ts";
import { type Report, SERVICE_PORTS } from "./services.ts";
import { type Datagram, pause, UdpPeer } from "./udp_peer.ts";

interface Service {
  readonly socket: UdpPeer;
  /** Answers a datagram, from the service's own socket or another. */
  answer(datagram: Datagram): void;
}

/**
 * Answers on `hostname` and on `stranger`, another address of the server's, as long as the thread lives. Each
 * service but `nothing`; `knock` has the stranger send first to the one who asked, and then answers itself.
 */
export function serveUdp(addresses: { hostname: string; stranger: string }): void {
  const { hostname, stranger } = addresses;
  const strange = reporter(stranger, SERVICE_PORTS.report);
  const knock = open(hostname, SERVICE_PORTS.knock);
  const echo = open(hostname, SERVICE_PORTS.echo);
  void answerAll([
    strange,
    reporter(hostname, SERVICE_PORTS.report),
    reporter(hostname, SERVICE_PORTS.secondReport),
    { socket: echo, answer: ({ from, payload }) => echo.send(payload, from) },
    {
      socket: knock,
      answer: ({ from, payload }) => {
        strange.socket.send(payload, from);
        knock.send(payload, from);
      },
    },
  ]);
}

function open(hostname: string, port: number): UdpPeer {
  return UdpPeer.bound({ address: parseIp(hostname)!, port });
}

function reporter(server: string, serverPort: number): Service {
  const socket = open(server, serverPort);
  return {
    socket,
    answer({ from }) {
      const client = formatIp(from.address);
      const report: Report = { client, clientPort: from.port, server, serverPort };
      socket.send(new TextEncoder().encode(JSON.stringify(report)), from);
    },
  };
}

async function answerAll(services: readonly Service[]): Promise<never> {
  for (;;) {
    for (const { socket, answer } of services) {
      for (let next = socket.receive(); next !== undefined; next = socket.receive()) {
        // Only a connected socket is ever refused.
        if (next !== "refused") answer(next);
      }
    }
    await pause();
  }
}
