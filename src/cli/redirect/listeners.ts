/**
 * The listeners of `tproxy redirect`.
 * @module
 */
import { AF_INET6, EADDRNOTAVAIL, EAFNOSUPPORT, SOCK_STREAM } from "../../../ffi/consts.ts";
import { resolve } from "../../../ffi/sockets/resolve.ts";
import { makeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd, localAddress } from "../../../ffi/sockets/socket.ts";
import { isOwnAddress } from "../../dataplane/sockets/own_address.ts";
import { openForeign, openListener } from "../../dataplane/sockets/transparent.ts";
import { check, OperationError } from "../../net/error.ts";
import { bindHint, formatSockaddr, type Sockaddr } from "../arguments/endpoints.ts";
import type { RedirectPlan } from "./plan.ts";

/** A listener and its address. */
export interface BoundListener {
  readonly fd: number;
  readonly address: Sockaddr;
}

/**
 * Listens on the address of `-L`, or on all, in both families where both are there. Throws OperationError.
 */
export function openListeners(plan: RedirectPlan): BoundListener[] {
  const { listenAddress: host, localPort: service, family } = plan;
  const opened: BoundListener[] = [];
  try {
    for (const address of resolve({ host, service, family, type: SOCK_STREAM, numeric: true })) {
      const listener = open(plan, address);
      if (listener !== undefined) opened.push(listener);
    }
    return opened;
  } catch (error) {
    for (const { fd } of opened) closeFd(fd);
    throw error;
  }
}

function open(plan: RedirectPlan, address: Sockaddr): BoundListener | undefined {
  const foreign = !isOwnAddress(address);
  const { fastOpen } = plan;
  const openAs = (transparent: boolean) =>
    openListener({ address, mark: 0, shared: false, transparent, fastOpen });
  const fd = foreign && !plan.transparent ? openForeign(openAs) : openAs(plan.transparent);
  if (fd >= 0) {
    const own = makeSockaddr();
    check(localAddress(fd, own), "find", "the address of a listener");
    return { fd, address: own };
  }
  // Nobody has asked for IPv6, and it is off.
  const optional = plan.family === undefined && plan.listenAddress === undefined && address[0] === AF_INET6;
  if (optional && (fd === -EAFNOSUPPORT || fd === -EADDRNOTAVAIL)) return undefined;
  throw new OperationError({
    operation: "listen on",
    object: formatSockaddr(address),
    errno: -fd,
    hint: bindHint(-fd, { address, foreign }),
  });
}
