/**
 * Refusals of transparent sockets, in words.
 * @module
 */
import { EPERM } from "../../../ffi/consts.ts";
import { check } from "../../net/error.ts";
import { type Endpoint, formatEndpoint } from "../../net/ip.ts";

/** Passes a result on, or throws it as an OperationError that names the privileges that were missing. */
export function checkTransparent(result: number, operation: string, object: string): number {
  const hint = result === -EPERM ? "Transparent sockets need root, or CAP_NET_ADMIN and CAP_NET_RAW" : "";
  return check(result, operation, object, hint);
}

/** `192.0.2.1:80 from 10.0.0.7:40000`. */
export function describeCall(call: { readonly to: Endpoint; readonly from: Endpoint }): string {
  return `${formatEndpoint(call.to)} from ${formatEndpoint(call.from)}`;
}
