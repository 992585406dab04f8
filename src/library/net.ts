/**
 * IP addresses, endpoints and prefixes, and the error that everything here throws.
 *
 * Loads without permissions, and needs none.
 *
 * @example
 * ```ts
 * import { formatIp, parseEndpoint } from "@tproxy/tproxy/net";
 *
 * const endpoint = parseEndpoint("[2001:db8::0:1]:443");
 * if (endpoint === undefined || formatIp(endpoint.address) !== "2001:db8::1") throw new Error("unexpected");
 * ```
 * @module
 */
export {
  type Endpoint,
  type Family,
  formatEndpoint,
  formatIp,
  formatPrefix,
  type IpAddress,
  parseEndpoint,
  parseIp,
  parsePrefix,
  type Prefix,
} from "../net/ip.ts";
export { describeFailure, OperationError, type OperationFailure } from "../net/error.ts";
