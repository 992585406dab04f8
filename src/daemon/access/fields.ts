/**
 * A flow that has ended as the fields of a log line. Pure.
 * @module
 */
import type { EndedFlow } from "../../dataplane/flows/ended_flows.ts";
import type { LogFields } from "../../log.ts";
import { type Endpoint, formatEndpoint } from "../../net/ip.ts";

/** Returns the fields of a flow's line: what is not known has none. Text of clients is not escaped yet. */
export function fieldsOf(flow: EndedFlow): LogFields {
  return {
    protocol: flow.protocol,
    client: formatEndpoint(flow.client),
    ...known("destination", addressOf(flow.destination)),
    ...known("server", addressOf(flow.server)),
    ...known("name", flow.name),
    ...known("rule", flow.rule),
    ...known("rule-index", flow.ruleIndex),
    action: flow.action,
    ...known("upstream", flow.upstream),
    ...known("group", flow.group),
    "bytes-up": flow.bytesUp,
    "bytes-down": flow.bytesDown,
    "duration-ms": Math.max(0, Math.round(flow.ended - flow.started)),
    ...known("connect-ms", flow.connectMs),
    end: flow.ending,
  };
}

function addressOf(endpoint: Endpoint | null): string | null {
  return endpoint === null ? null : formatEndpoint(endpoint);
}

function known(key: string, value: string | number | null): LogFields {
  return value === null ? {} : { [key]: value };
}
