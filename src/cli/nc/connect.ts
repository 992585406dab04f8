/**
 * Netcat as a client: one port after the other, each at the first address of the host that answers.
 * @module
 */
import { SOCK_DGRAM, SOCK_STREAM } from "../../../ffi/consts.ts";
import { numericHost, resolve, serviceName } from "../../../ffi/sockets/resolve.ts";
import { portOf, setPort } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { OperationError } from "../../net/error.ts";
import { formatSockaddr, type Sockaddr } from "../arguments/endpoints.ts";
import { dial } from "./dial.ts";
import { explainFailure, tellFailures } from "./failures.ts";
import { ConnectedPeer } from "./peer.ts";
import type { ConnectPlan } from "./plan.ts";
import { probeDatagrams } from "./probe.ts";
import { standardStreams } from "./stdio.ts";
import { transfer } from "./transfer.ts";
import type { Voice } from "./voice.ts";

/**
 * Does it. The exit code: 0 if any of the ports answered, else 1. Throws OperationError where a name has no
 * address.
 */
export function runConnect(plan: ConnectPlan, voice: Voice): number {
  const type = plan.udp ? SOCK_DGRAM : SOCK_STREAM;
  const sources = resolveSources(plan, type);
  const family = plan.family ?? (sources.length === 1 ? sources[0][0] : undefined);
  const { host, ports, numeric } = plan;
  const targets = resolve({ host, service: ports[0], family, type, numeric });
  let answered = false;
  for (const [index, service] of ports.entries()) {
    // A range is one of numbers: its host is looked up once.
    if (index > 0) { for (const target of targets) setPort(target, Number(service)); }
    if (runPort(plan, { targets, sources, type, voice })) answered = true;
  }
  return answered ? 0 : 1;
}

/** Addresses to send from, none: wherever the kernel likes. */
function resolveSources(plan: ConnectPlan, type: number): Sockaddr[] {
  const { source, sourcePort, family, numeric } = plan;
  if (source === undefined && sourcePort === undefined) return [];
  return resolve({ host: source, service: sourcePort ?? "0", family, type, numeric });
}

interface Attempt {
  readonly targets: readonly Sockaddr[];
  readonly sources: readonly Sockaddr[];
  readonly type: number;
  readonly voice: Voice;
}

/** Tries the addresses of a port. Returns true: one of them answered. As netcat, it is silent without -v. */
function runPort(plan: ConnectPlan, attempt: Attempt): boolean {
  for (const target of attempt.targets) {
    const answered = runTarget(plan, target, attempt);
    if (!(answered instanceof OperationError)) return answered;
    if (plan.verbose) attempt.voice.complain(answered);
  }
  return false;
}

/**
 * Connects to one address, and serves the connection. Returns the reason where it does not come about. Throws
 * OperationError where the source cannot be had.
 */
function runTarget(plan: ConnectPlan, target: Sockaddr, attempt: Attempt): boolean | OperationError {
  const source = chooseSource(target, attempt.sources);
  const fd = dial({ target, source, type: attempt.type, waitMs: plan.waitMs });
  if (typeof fd !== "number") return fd;
  try {
    const refused = plan.scan && plan.udp ? probeDatagrams(fd, plan.waitMs) : 0;
    if (refused < 0) return explainFailure(refused, target, source);
    // Of datagrams nobody says whether they arrive.
    if (plan.verbose && (plan.scan || !plan.udp)) attempt.voice.say(describeSuccess(plan, target));
    return plan.scan || talk(plan, { fd, target, source, voice: attempt.voice });
  } finally {
    closeFd(fd);
  }
}

function chooseSource(target: Sockaddr, sources: readonly Sockaddr[]): Sockaddr | null {
  if (sources.length === 0) return null;
  const source = sources.find((candidate) => candidate[0] === target[0]);
  if (source !== undefined) return source;
  throw new OperationError({
    operation: "connect to",
    object: `${formatSockaddr(target)} from ${formatSockaddr(sources[0])}`,
    reason: "one is an IPv4, the other an IPv6 address",
  });
}

/**
 * False if the other side refused all datagrams. A connection that broke has come about, as netcat sees it.
 */
function talk(
  plan: ConnectPlan,
  call: { fd: number; target: Sockaddr; source: Sockaddr | null; voice: Voice },
): boolean {
  const { networkFailure, outputFailure, received } = transfer({
    peer: new ConnectedPeer(call.fd, { datagrams: plan.udp }),
    ...standardStreams(),
    shutdown: plan.shutdown,
    graceMs: null,
    idleMs: plan.waitMs,
  });
  const answered = networkFailure === 0 || !plan.udp || received;
  tellFailures({ networkFailure: answered || plan.verbose ? networkFailure : 0, outputFailure }, call);
  return answered;
}

/** netcat's own words: scripts look for them. */
function describeSuccess(plan: ConnectPlan, target: Sockaddr): string {
  const ip = numericHost(target);
  const host = plan.host === ip ? ip : `${plan.host} (${ip})`;
  const service = plan.numeric ? undefined : serviceName(target, plan.udp);
  const protocol = plan.udp ? "udp" : "tcp";
  return `Connection to ${host} ${portOf(target)} port [${protocol}/${service ?? "*"}] succeeded!`;
}
