/**
 * The chains for packets that are refused: `raw` has marked them. Pure.
 * @module
 */
import type { Protocol } from "../../../config/types.ts";
import type { Family } from "../../../net/ip.ts";
import type { FamilyContext } from "./context.ts";
import type { IptablesChain, TableRules } from "./model.ts";
import { isRefused } from "./fragment.ts";

const REFUSED_PACKETS: Readonly<Record<Protocol, string>> = {
  tcp: "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
  udp: "-p udp",
};
const REJECT: Readonly<Record<Family, Record<Protocol, string>>> = {
  ipv4: { tcp: "--reject-with tcp-reset", udp: "--reject-with icmp-port-unreachable" },
  ipv6: { tcp: "--reject-with tcp-reset", udp: "--reject-with icmp6-port-unreachable" },
};

/** Plans the chain that refuses, in `filter`. */
export function compileFilter({ family, scope: { marks, protocols } }: FamilyContext): TableRules {
  return {
    table: "filter",
    chains: [{
      name: "TPROXY_REJECT",
      rules: protocols.map((protocol) => ({
        text: `${REFUSED_PACKETS[protocol]} ${isRefused(marks)} -j REJECT ${REJECT[family][protocol]}`,
        reason: protocol === "tcp" ? "As if nobody listened there" : "The same for UDP",
      })),
      reason: "New flows that are refused",
    }],
    jumps: [{ from: "FORWARD", text: "-j TPROXY_REJECT" }],
  };
}

/** Plans the chain for what another program's rule has accepted before ours could refuse it, in `mangle`. */
export function planHold({ scope: { marks, protocols } }: FamilyContext): IptablesChain {
  return {
    name: "TPROXY_HOLD",
    rules: protocols.map((protocol) => ({
      text: `${REFUSED_PACKETS[protocol]} ${isRefused(marks)} -j DROP`,
      reason: "A rule before ours in filter has let it pass",
    })),
    reason: "What is refused does not get out, whatever stands in FORWARD",
  };
}
