/**
 * Asks whether the kernel has the iptables match `socket` and target `TPROXY`, by both ways to them. Nothing is made.
 * @module
 */
import { AF_INET, AF_INET6, SOCK_DGRAM, SOL_IP, SOL_IPV6 } from "../../../ffi/consts.ts";
import { closeFd, openSocket } from "../../../ffi/socket.ts";
import { getBytes } from "../../../ffi/sockopt.ts";
import { check } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { requireExtension, type XtablesExtension } from "../../netlink/nft/compat.ts";
import { attempt, type ProbeResult } from "./probe.ts";

// linux/netfilter/x_tables.h: struct xt_get_revision { char name[29]; __u8 revision; }
const REVISION_SIZE = 30;
// linux/netfilter_ipv4/ip_tables.h: IPT_SO_GET_REVISION_*; linux/netfilter_ipv6/ip6_tables.h: IP6T_SO_GET_REVISION_*
const OPTIONS = {
  ipv4: { domain: AF_INET, level: SOL_IP, match: 66, target: 67 },
  ipv6: { domain: AF_INET6, level: SOL_IPV6, match: 68, target: 69 },
} as const;

/** The extensions of the kernel's TPROXY page: revision 1 has `--transparent`, and TPROXY for IPv6. */
function extensions(family: Family) {
  return {
    socket: { family, type: "match", name: "socket", revision: 1 },
    tproxy: { family, type: "target", name: "TPROXY", revision: 1 },
  } as const satisfies Record<string, XtablesExtension>;
}

/** Asks through nf_tables, as iptables-nft does. */
export function probeCompat(connection: NetlinkConnection, families: readonly Family[]): ProbeResult[] {
  return families.flatMap((family) => {
    const { socket, tproxy } = extensions(family);
    return [
      attempt(`xt-socket-${family}/nft`, () => requireExtension(connection, socket)),
      attempt(`xt-tproxy-${family}/nft`, () => requireExtension(connection, tproxy)),
    ];
  });
}

/** Asks by getsockopt(2), as iptables-legacy does. `ask` gives 0 or -errno. */
export function probeLegacy(
  families: readonly Family[],
  ask: (extension: XtablesExtension) => number = askLegacy,
): ProbeResult[] {
  return families.flatMap((family) => {
    const { socket, tproxy } = extensions(family);
    return [
      attempt(`xt-socket-${family}/legacy`, () => void check(ask(socket), "ask for", "socket")),
      attempt(`xt-tproxy-${family}/legacy`, () => void check(ask(tproxy), "ask for", "TPROXY")),
    ];
  });
}

/** 0 or -errno: ENOPROTOOPT without ip_tables, ENOENT without the extension. */
function askLegacy({ family, type, name, revision }: XtablesExtension): number {
  const option = OPTIONS[family];
  const fd = openSocket(option.domain, SOCK_DGRAM);
  if (fd < 0) return fd;
  const question = new Uint8Array(REVISION_SIZE);
  question.set(new TextEncoder().encode(name));
  question[REVISION_SIZE - 1] = revision;
  const returned = getBytes(fd, option.level, option[type], question);
  closeFd(fd);
  return Math.min(returned, 0);
}
