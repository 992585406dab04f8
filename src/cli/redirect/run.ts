/**
 * `tproxy redirect` at work: listens, and serves one connection or all that come.
 * @module
 */
import { EAFNOSUPPORT, SOCK_STREAM } from "../../../ffi/consts.ts";
import { raiseDescriptorLimit } from "../../../ffi/process.ts";
import { numericHost, resolve } from "../../../ffi/sockets/resolve.ts";
import { portOf, sameSockaddr, setPort } from "../../../ffi/sockets/sockaddr.ts";
import { isOwnAddress } from "../../dataplane/sockets/own_address.ts";
import { tryTransparent } from "../../dataplane/sockets/transparent.ts";
import type { RedirectReport } from "../../dataplane/upstream/listed.ts";
import { createLogger } from "../../log.ts";
import { check, OperationError } from "../../net/error.ts";
import { bindHint, connectHint, formatSockaddr, type Sockaddr } from "../arguments/endpoints.ts";
import type { Env } from "../env.ts";
import { openListeners } from "./listeners.ts";
import type { RedirectPlan } from "./plan.ts";
import { serveRedirect } from "./serve.ts";

/**
 * Does it. The exit code: 0 if the connection came about, else 1; with `loop` it does not return. Throws
 * OperationError.
 */
export function runRedirect(plan: RedirectPlan, env: Env): number {
  const upstreams = plan.upstream === null ? null : resolve({
    host: plan.upstream.host,
    service: plan.upstream.port,
    family: plan.family,
    type: SOCK_STREAM,
    numeric: false,
  });
  raiseDescriptorLimit();
  const listeners = openListeners(plan);
  for (const { address } of listeners) {
    requireTransparent(plan, address);
    for (const upstream of upstreams ?? []) refuseOwn(address, upstream);
  }
  env.stderr(`Listening on ${listeners.map(({ address }) => formatSockaddr(address)).join(" and ")}\n`);
  for (const { address } of plan.listenAddress === undefined ? [] : listeners) {
    if (isOwnAddress(address)) continue;
    env.stderr(
      `tproxy: warning: ${
        formatSockaddr(address)
      } is not of this machine: only what a rule steers here comes\n`,
    );
  }
  const target = {
    upstreams,
    fromClient: plan.fromClient,
    fastOpen: plan.fastOpen,
    listenPort: portOf(listeners[0].address),
  };
  const log = createLogger({ level: "warn", format: "text", write: env.stderr, now: env.now });
  const fds = listeners.map(({ fd }) => fd);
  return serveRedirect({ listeners: fds, target, report: report(plan, env), once: !plan.loop, log }) ? 0 : 1;
}

/** tcprdr's words for what goes well; what does not is told with its errno. */
function report(plan: RedirectPlan, env: Env): RedirectReport {
  return {
    handling(client, upstream, original) {
      const wanted = plan.transparent ? ` (original destination was ${formatSockaddr(original)})` : "";
      env.stderr(`Handling connection from ${numericHost(client)} to ${numericHost(upstream)}${wanted}\n`);
    },
    failed(client, upstream, errno) {
      const source = plan.fromClient ? client : null;
      const error = new OperationError({
        operation: "connect to",
        object: `${formatSockaddr(upstream)} for ${formatSockaddr(client)}`,
        errno,
        hint: errno === EAFNOSUPPORT
          ? "With -T, client and upstream must be both IPv4 or both IPv6"
          : connectHint(errno, {
            target: upstream,
            source,
            foreign: source !== null && !isOwnAddress(source),
          }),
      });
      env.stderr(`tproxy: ${error.message}\n`);
    },
    looped(client) {
      const from = formatSockaddr(client);
      env.stderr(
        `tproxy: ${from} was not steered here, it dialled this port: there is no other destination\n`,
      );
    },
  };
}

/** With -T: rather now than at the first client. */
function requireTransparent(plan: RedirectPlan, address: Sockaddr): void {
  if (!plan.fromClient) return;
  const tried = tryTransparent(address[0]);
  const hint = tried < 0 ? bindHint(-tried, { address, foreign: false }) : "";
  check(tried, "dial from", "the client's address", hint);
}

/**
 * Refuses an upstream that is the listener itself: redirect would dial itself until the descriptors are used
 * up.
 */
function refuseOwn(listener: Sockaddr, upstream: Sockaddr): void {
  if (portOf(listener) !== portOf(upstream) || listener[0] !== upstream[0]) return;
  const wildcard = listener.slice();
  setPort(wildcard, 0);
  const listensOnAll = wildcard.subarray(4).every((byte) => byte === 0);
  if (!sameSockaddr(listener, upstream) && !(listensOnAll && isOwnAddress(upstream))) return;
  throw new OperationError({
    operation: "redirect to",
    object: formatSockaddr(upstream),
    reason: "this is where redirect itself listens",
    usage: true,
  });
}
