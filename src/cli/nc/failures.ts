/**
 * Netcat's words on connections that break.
 * @module
 */
import { isOwnAddress } from "../../dataplane/sockets/own_address.ts";
import { OperationError } from "../../net/error.ts";
import { connectHint, formatSockaddr, type Sockaddr } from "../arguments/endpoints.ts";
import type { Voice } from "./voice.ts";

/** Says what has broken a connection. That nobody reads the output any more is no failure. */
export function tellFailures(
  failures: { networkFailure: number; outputFailure: number },
  call: { target: Sockaddr; source: Sockaddr | null; voice: Voice },
): void {
  const { networkFailure, outputFailure } = failures;
  if (networkFailure < 0) call.voice.complain(explainFailure(networkFailure, call.target, call.source));
  if (outputFailure < 0) {
    const error = new OperationError({ operation: "write to stdout", object: "", errno: -outputFailure });
    if (error.code !== "EPIPE") call.voice.complain(error);
  }
}

/** The error of a connection that came about and then broke. */
export function explainFailure(returned: number, target: Sockaddr, source: Sockaddr | null): OperationError {
  const foreign = source !== null && !isOwnAddress(source);
  return new OperationError({
    operation: "go on with",
    object: formatSockaddr(target),
    errno: -returned,
    hint: connectHint(-returned, { target, source, foreign }),
  });
}
