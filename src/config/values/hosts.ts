/**
 * Names of hosts and places, alone and with ports.
 * @module
 */
import { canonicalName } from "../../names/canonical.ts";
import { formatPattern, parsePattern } from "../../names/pattern.ts";
import { type IpAddress, parseEndpoint, parseIp } from "../../net/ip.ts";
import type { HostAndPort } from "../upstreams/types.ts";
import { asText } from "./ports.ts";
import { Refusal, value } from "./values.ts";

/** `192.0.2.1:80`, `[2001:db8::1]:80`. */
export function endpoint() {
  return value<string>({
    expected: "an address and port such as 127.0.0.1:9466 or [::1]:9466",
    parse: (input) => {
      const parsed = parseEndpoint(asText(input));
      return parsed !== undefined && parsed.port > 0 ? asText(input) : undefined;
    },
    json: { type: "string" },
  });
}

/** An address alone. */
export function ipAddress() {
  return value<IpAddress>({
    expected: "an address such as 192.0.2.1 or 2001:db8::1",
    parse: (input) => parseIp(asText(input)),
    json: { type: "string" },
  });
}

/** The words for a text that is no place. */
export const HOST_AND_PORT_EXPECTED =
  'an address or name with a port, such as "10.9.0.2:1080" or "proxy.example:3128"';

/** An endpoint, or a host name and port; `anyPort`: port 0 as well. */
export function hostAndPort({ anyPort = false } = {}) {
  const least = anyPort ? 0 : 1;
  return value<HostAndPort>({
    expected: HOST_AND_PORT_EXPECTED,
    parse: (input) => {
      const parsed = parseEndpoint(asText(input));
      if (parsed !== undefined) return parsed.port >= least ? parsed : undefined;
      const match = /^([^:\s]+):(\d{1,5})$/.exec(asText(input));
      const host = match === null ? undefined : canonicalName(match[1]);
      const port = Number(match?.[2]);
      return host === undefined || port < least || port > 65535 ? undefined : { host, port };
    },
    json: { type: "string" },
  });
}

const DOMAIN_EXPECTED =
  'a domain such as ads.example.com, "*.example.com" (all below it) or .example.com (both)';

/** `ads.example.com`, `*.example.com` or `.example.com`, in lower case and ASCII. */
export function domainPattern() {
  return value<string>({
    expected: DOMAIN_EXPECTED,
    parse: (input) => {
      if (typeof input !== "string") return undefined;
      const pattern = parsePattern(input);
      return "problem" in pattern
        ? new Refusal(`${DOMAIN_EXPECTED}: ${pattern.problem}`)
        : formatPattern(pattern);
    },
    json: { type: "string" },
  });
}
