/**
 * Netcat as a server: one client after the other.
 * @module
 */
import { AF_INET, EAGAIN, ECONNABORTED, EINTR, EPIPE, SOCK_DGRAM, SOCK_STREAM } from "../../../ffi/consts.ts";
import { resolve } from "../../../ffi/sockets/resolve.ts";
import { makeSockaddr, portOf, sameSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { acceptSocket, closeFd } from "../../../ffi/sockets/socket.ts";
import { isOwnAddress } from "../../dataplane/sockets/own_address.ts";
import { openBound, openForeign, openListener, tryTransparent } from "../../dataplane/sockets/transparent.ts";
import { check, OperationError } from "../../net/error.ts";
import { bindHint, formatSockaddr, formatSpaced, type Sockaddr } from "../arguments/endpoints.ts";
import { tellFailures } from "./failures.ts";
import { takeClient } from "./first_client.ts";
import { ConnectedPeer, OpenPeer, type Peer } from "./peer.ts";
import type { ListenPlan } from "./plan.ts";
import { nameOf, waitForInput } from "./socket.ts";
import { standardStreams } from "./stdio.ts";
import { transfer } from "./transfer.ts";
import type { Voice } from "./voice.ts";

/**
 * Milliseconds between the end of a client's half and netcat's own. In them netcat still passes input on that
 * flows, unless it may come to serve another client with it.
 */
const GRACE_MS = 500;

/** Does it. The exit code, 0. Throws OperationError where it cannot listen. */
export function runListen(plan: ListenPlan, voice: Voice): number {
  const fd = open(plan, voice);
  if (plan.verbose) voice.say(`${plan.udp ? "Bound" : "Listening"} on ${formatOwn(nameOf(fd), plan)}`);
  if (!plan.udp) serveConnections(plan, fd, voice);
  else if (plan.keep) serveAnybody(plan, fd, voice);
  else serveSender(plan, fd, voice);
  return 0;
}

/** Listens on the first address of the host that can be had: one of this machine, or any other. */
function open(plan: ListenPlan, voice: Voice): number {
  const type = plan.udp ? SOCK_DGRAM : SOCK_STREAM;
  // Without an address or -6: IPv4, as netcat has it.
  const family = plan.family ?? (plan.host === undefined ? AF_INET : undefined);
  const { host, port, numeric } = plan;
  let failure: OperationError | undefined;
  for (const address of resolve({ host, service: port, family, type, numeric })) {
    const foreign = !isOwnAddress(address);
    const permitted = tryTransparent(address[0]) >= 0;
    const openAs = (transparent: boolean) =>
      plan.udp
        ? openBound({ type, address, transparent })
        : openListener({ address, mark: 0, shared: false, transparent });
    const fd = foreign ? openForeign(openAs) : openAs(permitted);
    if (fd >= 0) {
      if (!permitted) {
        voice.warn(
          'The socket is not transparent without CAP_NET_RAW: an nftables rule "tproxy to" steers nothing to it',
        );
      }
      return fd;
    }
    failure ??= new OperationError({
      operation: "listen on",
      object: formatSockaddr(address),
      errno: -fd,
      hint: bindHint(-fd, { address, foreign }),
    });
  }
  throw failure ??
    new OperationError({ operation: "listen on", object: host ?? port, reason: "no address" });
}

function serveConnections(plan: ListenPlan, listener: number, voice: Voice): void {
  const own = nameOf(listener);
  const client = makeSockaddr();
  let listening = true;
  try {
    do {
      const fd = accept(listener, client);
      // An unwanted client had better be refused now than wait.
      if (!plan.keep) closeFd(listener);
      listening = plan.keep;
      try {
        if (plan.verbose) voice.say(describeClient(plan, { client, wanted: nameOf(fd), own }));
        if (!serve(plan, { peer: new ConnectedPeer(fd, { datagrams: false }), client, voice })) return;
      } finally {
        closeFd(fd);
      }
    } while (plan.keep);
  } finally {
    if (listening) closeFd(listener);
  }
}

/** UDP: the first who sends. */
function serveSender(plan: ListenPlan, fd: number, voice: Voice): void {
  const own = nameOf(fd);
  const { connected, client, destination, first } = takeClient(fd);
  if (plan.verbose) voice.say(describeClient(plan, { client, wanted: destination, own }));
  serve(plan, { peer: new ConnectedPeer(connected, { datagrams: true }), client, voice, first });
  closeFd(connected);
}

/** UDP: all who send. */
function serveAnybody(plan: ListenPlan, fd: number, voice: Voice): void {
  const sender = makeSockaddr();
  const peer = new OpenPeer(fd, (address) => {
    sender.set(address);
    if (plan.verbose) voice.say(`Connection received on ${formatSpaced(address, plan)}`);
  });
  serve(plan, { peer, client: sender, voice });
  closeFd(fd);
}

/** Serves a client. Returns true: another client may still be served. */
function serve(
  plan: ListenPlan,
  call: { peer: Peer; client: Sockaddr; voice: Voice; first?: Uint8Array },
): boolean {
  const result = transfer({
    peer: call.peer,
    ...standardStreams(),
    shutdown: plan.shutdown,
    graceMs: plan.keep ? 0 : GRACE_MS,
    idleMs: plan.waitMs,
    ...(call.first === undefined ? {} : { first: call.first }),
  });
  tellFailures(result, { target: call.client, source: null, voice: call.voice });
  return result.outputFailure !== -EPIPE;
}

function accept(listener: number, client: Sockaddr): number {
  for (;;) {
    waitForInput(listener);
    const fd = acceptSocket(listener, client);
    if (fd !== -EAGAIN && fd !== -EINTR && fd !== -ECONNABORTED) return check(fd, "accept", "a connection");
  }
}

/** All addresses of this machine have no name: nobody is asked for it. */
function formatOwn(own: Sockaddr, { host, numeric }: ListenPlan): string {
  return formatSpaced(own, { numeric: numeric || host === undefined });
}

/** netcat's words, and whom the client wanted if that is not us. */
function describeClient(
  plan: ListenPlan,
  { client, wanted, own }: { client: Sockaddr; wanted: Sockaddr; own: Sockaddr },
): string {
  const steered = !sameSockaddr(wanted, own) && (portOf(wanted) !== portOf(own) || !isOwnAddress(wanted));
  return `Connection received on ${formatSpaced(client, plan)}` +
    (steered ? ` (original destination was ${formatSockaddr(wanted)})` : "");
}
