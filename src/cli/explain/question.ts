/**
 * The flow that `tproxy explain` is asked about.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import { parseEndpoint, parseIp } from "../../net/ip.ts";
import { canonicalName } from "../../names/canonical.ts";
import { Flow, PROTOCOL_NUMBERS, putAddress } from "../../policy/flow.ts";
import type { PolicyImage } from "../../policy/image.ts";
import { placeInterfaces } from "../../policy/image.ts";

/** The options, as they were written. */
export interface Question {
  readonly from: string;
  readonly to: string;
  readonly in?: string | undefined;
  readonly protocol?: "tcp" | "udp" | undefined;
  readonly domain?: string | undefined;
}

/** Makes the flow. Throws an OperationError (exit code 2) for what is none. */
export function flowOf(question: Question, image: PolicyImage): Flow {
  const client = parseIp(question.from) ?? parseEndpoint(question.from)?.address;
  if (client === undefined) throw refuse("--from", question.from, "it is no address, such as 192.168.1.20");
  const server = parseEndpoint(question.to);
  if (server === undefined || server.port === 0) {
    throw refuse("--to", question.to, "it is no address with a port, such as 192.0.2.1:443");
  }
  if (client.family !== server.address.family) {
    throw refuse("--to", question.to, "it is of another family than the client");
  }
  const flow = new Flow();
  flow.protocol = PROTOCOL_NUMBERS[question.protocol ?? "tcp"];
  flow.ipv6 = client.family === "ipv6";
  putAddress(flow.client, client.bytes, 0, flow.ipv6);
  putAddress(flow.destination, server.address.bytes, 0, flow.ipv6);
  flow.destinationPort = server.port;
  if (question.in !== undefined) {
    // Any numbers will do: an interface that no rule names gets one behind theirs.
    placeInterfaces(image, new Map(image.interfaces.map((name, index) => [name, index + 1])));
    flow.inputInterface = image.interfaces.indexOf(question.in) + 1 || image.interfaces.length + 1;
  }
  if (question.domain !== undefined) {
    const name = canonicalName(question.domain);
    if (name === undefined) throw refuse("--domain", question.domain, "it is no name");
    flow.nameAsked = true;
    flow.nameLength = new TextEncoder().encodeInto(name, flow.nameBytes).written;
  }
  return flow;
}

function refuse(option: string, written: string, reason: string): OperationError {
  return new OperationError({ operation: `use ${option}`, object: written, reason, usage: true });
}
