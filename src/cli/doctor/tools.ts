/**
 * Doctor's access to the kernel.
 * @module
 */
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { openOutgoing } from "../../dataplane/sockets/transparent.ts";
import { openReplySender } from "../../dataplane/sockets/udp.ts";
import type { ProbeTools } from "../../doctor/probes/probe_kernel.ts";
import { listenerAddress } from "../../net/families.ts";
import { type Family, parseIp } from "../../net/ip.ts";
import { openNetlink } from "../../netlink/transport.ts";

/** Addresses of nobody: TEST-NET-1, and the documentation prefix of IPv6. */
const FOREIGN: Readonly<Record<Family, string>> = { ipv4: "192.0.2.2", ipv6: "2001:db8::2" };

/** The real kernel, in the network namespace of the calling thread. */
export const KERNEL_TOOLS: ProbeTools = {
  openNetlink,
  tryTransparent(family) {
    const address = parseIp(FOREIGN[family])!;
    const source = makeSockaddr();
    writeSockaddr(source, { address, port: 0 });
    const fd = openOutgoing(source[0], source);
    return fd < 0 ? fd : Math.min(closeFd(fd), 0);
  },
  tryRawUdp(family) {
    const loopback = makeSockaddr();
    writeSockaddr(loopback, {
      address: listenerAddress(family),
      port: 0,
    });
    const fd = openReplySender(loopback, { mark: 0 });
    return fd < 0 ? fd : Math.min(closeFd(fd), 0);
  },
};
