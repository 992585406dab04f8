/**
 * The fields of a log line as JSON has them: by the name that OpenTelemetry's conventions have, flat; what
 * they have no name for begins with `tproxy.`, so no field can pretend to be time, level or message. Pure.
 * @module
 */

/** Named values. */
type Fields = Readonly<Record<string, string | number | boolean>>;

/** Ends of a flow: an address, mostly with a port. */
const ENDS: Readonly<Record<string, string>> = {
  client: "client",
  destination: "server",
  server: "network.peer", // an upstream: it carries what the client sends to the server
};
const PLAIN: Readonly<Record<string, string>> = {
  protocol: "network.transport",
  "bytes-up": "bytes_up",
  "bytes-down": "bytes_down",
  errno: "errno",
};
/** Durations, in milliseconds. */
const SECONDS: Readonly<Record<string, string>> = { "duration-ms": "duration_s", "connect-ms": "connect_s" };

const ENDPOINT = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/;

/** Returns the fields under the names that JSON has. */
export function jsonFields(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).flatMap(([key, value]) => rename(key, value)));
}

function rename(key: string, value: string | number | boolean): [string, string | number | boolean][] {
  if (Object.hasOwn(ENDS, key)) {
    const [, six, four, port] = ENDPOINT.exec(String(value)) ?? [];
    if (port === undefined) return [[`${ENDS[key]}.address`, value]];
    return [[`${ENDS[key]}.address`, six ?? four], [`${ENDS[key]}.port`, Number(port)]];
  }
  if (Object.hasOwn(SECONDS, key)) return [[SECONDS[key], Number(value) / 1000]];
  return [[Object.hasOwn(PLAIN, key) ? PLAIN[key] : `tproxy.${key.replaceAll("-", "_")}`, value]];
}
