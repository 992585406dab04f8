/**
 * Asks whether the kernel has matches and targets of iptables, by both ways to them. Nothing is made.
 * @module
 */
import { AF_INET, AF_INET6, SOCK_DGRAM, SOL_IP, SOL_IPV6 } from "../../../ffi/consts.ts";
import { closeFd, openSocket } from "../../../ffi/sockets/socket.ts";
import { getBytes } from "../../../ffi/sockets/sockopt.ts";
import { check } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { requireExtension, type XtablesExtension } from "../../netlink/nft/compat.ts";
import { attempt, type ProbeResult } from "./probe.ts";
import { extensionOf, type XtablesNeeds } from "./xtables_parts.ts";

// linux/netfilter/x_tables.h: struct xt_get_revision { char name[29]; __u8 revision; }
const REVISION_SIZE = 30;
// linux/netfilter_ipv4/ip_tables.h: IPT_SO_GET_REVISION_*
// linux/netfilter_ipv6/ip6_tables.h: IP6T_SO_GET_REVISION_*
const OPTIONS = {
  ipv4: { domain: AF_INET, level: SOL_IP, match: 66, target: 67 },
  ipv6: { domain: AF_INET6, level: SOL_IPV6, match: 68, target: 69 },
} as const;

/** Asks through nf_tables, as iptables-nft does. */
export function probeCompat(
  connection: NetlinkConnection,
  families: readonly Family[],
  needs: XtablesNeeds,
): ProbeResult[] {
  return families.flatMap((family) =>
    needs[family].map((name) =>
      attempt(`xt-${name}-${family}/nft`, () => requireExtension(connection, extensionOf(name, family)))
    )
  );
}

/** Asks by getsockopt(2), as iptables-legacy does. `ask` gives 0 or -errno. */
export function probeLegacy(
  families: readonly Family[],
  needs: XtablesNeeds,
  ask: (extension: XtablesExtension) => number = askLegacy,
): ProbeResult[] {
  return families.flatMap((family) =>
    needs[family].map((name) => {
      const extension = extensionOf(name, family);
      return attempt(
        `xt-${name}-${family}/legacy`,
        () => void check(ask(extension), "ask for", extension.name),
      );
    })
  );
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
