/**
 * Path errors: routers on the way send them about packets of our sockets. They are addressed to whose address
 * a socket has. Pure.
 * @module
 */
import type { Condition } from "../rules/condition.ts";
import type { Contribution } from "../contribution.ts";
import { type Effect, TO_SOCKET } from "../rules/effect.ts";
import type { PlannedRule } from "../model.ts";
import { FOR_OTHERS } from "../phrases.ts";
import type { Scope } from "../scope.ts";
import { ofProxy } from "./clients.ts";

type PathError = Extract<Condition, { kind: "icmp-error" }>["error"];

const REASONS: Readonly<Record<PathError, string>> = {
  "too-big": "Path MTU: the error is for the socket that sends, which else would send too much for ever",
  unreachable: "Nobody is there: the socket tells the client",
};

/** Brings errors to their sockets, on both sides. */
export function planPathErrors(scope: Scope): Contribution {
  const { families, source, tcp, admission } = scope;
  const plan = (errors: readonly PathError[], more: readonly Condition[], effect: Effect): PlannedRule[] =>
    errors.flatMap((error) =>
      families.map((family) => ({
        conditions: [{ kind: "icmp-error", family, error }, { kind: "transparent-socket" }, ...more],
        effect,
        reason: REASONS[error],
      }))
    );
  // About a port that is not the client's own, the client would not understand it; nor while it still waits
  // for the answer to its own SYN.
  const errors: readonly PathError[] = source === "client-address" || admission === "forward-path"
    ? ["too-big", "unreachable"]
    : ["too-big"];
  return {
    at: {
      "errors of clients": tcp ? plan(["too-big"], [FOR_OTHERS], ofProxy(scope)) : [],
      "errors from elsewhere": plan(errors, [], TO_SOCKET),
    },
  };
}
