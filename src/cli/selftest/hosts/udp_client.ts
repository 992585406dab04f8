/**
 * UDP of the self-test's client.
 * @module
 */
import { type Endpoint, formatEndpoint, parseIp } from "../../../net/ip.ts";
import type { Outcome, Reply, Talk, Target } from "../checks/outcome.ts";
import { type Datagram, UdpPeer } from "./udp_peer.ts";

/** A datagram that is sent, and how many are waited for before the next is sent. */
export interface Step {
  readonly to: Target;
  readonly replies: number;
}

/** Options of a client's conversation. */
export interface TalkOptions {
  /** Each reply is waited for so long. */
  readonly timeoutMs: number;
  /**
   * With a socket connected to the first target: only then does a client learn that a port is unreachable.
   */
  readonly connected?: boolean;
}

function toEndpoint({ hostname, port }: Target): Endpoint {
  return { address: parseIp(hostname)!, port };
}

function toReply({ from, payload }: Datagram): Reply {
  return { from: formatEndpoint(from), text: new TextDecoder().decode(payload) };
}

/** Sends small datagrams from one socket, one after another, and collects what comes back, from whomever. */
export async function talk(steps: readonly Step[], options: TalkOptions): Promise<Talk> {
  const first = toEndpoint(steps[0].to);
  using peer = new UdpPeer(first.address.family);
  if (options.connected) peer.connect(first);
  const replies: Reply[] = [];
  for (const step of steps) {
    peer.send(new TextEncoder().encode("hello"), toEndpoint(step.to));
    for (let i = 0; i < step.replies; i++) {
      const received = await peer.next(options.timeoutMs);
      if (typeof received === "string") return { kind: received, replies, localPort: peer.localPort };
      replies.push(toReply(received));
    }
  }
  return { kind: "ok", replies, localPort: peer.localPort };
}

/**
 * Sends one datagram of random bytes to an echo server; whether it came back as it was, from where it was
 * sent to. `second`: an empty one goes before.
 */
export async function exchangeDatagram(
  target: Target,
  options: { bytes: number; timeoutMs: number; second?: boolean },
): Promise<Outcome> {
  const to = toEndpoint(target);
  const sent = crypto.getRandomValues(new Uint8Array(options.bytes));
  using peer = new UdpPeer(to.address.family);
  if (options.second) {
    peer.send(new Uint8Array(), to);
    const first = await peer.next(options.timeoutMs);
    if (typeof first === "string") return { kind: first };
  }
  peer.send(sent, to);
  const received = await peer.next(options.timeoutMs);
  if (typeof received === "string") return { kind: received };
  const { from, payload } = received;
  if (formatEndpoint(from) !== formatEndpoint(to)) {
    return { kind: "error", text: `an answer came from ${formatEndpoint(from)}` };
  }
  const same = payload.length === sent.length && payload.every((byte, i) => byte === sent[i]);
  return same
    ? { kind: "ok", text: `${payload.length}`, localPort: peer.localPort }
    : { kind: "error", text: `${payload.length} of ${sent.length} bytes came back, or others` };
}
