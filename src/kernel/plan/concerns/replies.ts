/**
 * Replies: packets from elsewhere to sockets that have clients' addresses. Pure.
 * @module
 */
import type { Contribution } from "../contribution.ts";
import { LEAVE, TO_SOCKET } from "../rules/effect.ts";
import { comesFrom } from "../rules/interface_match.ts";
import type { PlannedRule } from "../model.ts";
import { excludeOtherFamily, OTHER_TCP_PASSES, TCP, UDP } from "../phrases.ts";
import type { Scope } from "../scope.ts";

/** Plans the chain `divert_replies`. */
export function planReplies(scope: Scope): Contribution {
  return {
    chains: [{
      name: "divert_replies",
      place: "from-elsewhere",
      rules: [
        {
          conditions: [comesFrom(scope.lan, { negate: false })],
          effect: LEAVE,
          reason: "Only what comes from elsewhere",
        },
        ...excludeOtherFamily(scope),
        ...giveToSockets(scope),
        ...(scope.tcp ? [OTHER_TCP_PASSES] : []),
        "errors from elsewhere",
      ],
      reason: "The other side, after conntrack: replies to sockets that have clients' addresses",
    }],
  };
}

function giveToSockets({ protocols, udp, filtering }: Scope): PlannedRule[] {
  const all = "Packets of a socket that has a client's address go to it, not to the client";
  if (!udp || filtering === "endpoint-independent") {
    return [{
      conditions: [{ kind: "protocol", protocols }, { kind: "transparent-socket" }],
      effect: TO_SOCKET,
      reason: all,
    }];
  }
  return protocols.map((protocol) =>
    protocol === "tcp"
      ? { conditions: [TCP, { kind: "transparent-socket" }], effect: TO_SOCKET, reason: all }
      : {
        conditions: [UDP, { kind: "known-flow" }, { kind: "transparent-socket" }],
        effect: TO_SOCKET,
        reason: "The same for answers; a datagram that nobody asked for is the router's firewall's business",
      }
  );
}
