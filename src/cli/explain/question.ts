/**
 * The flow that `tproxy explain` is asked about.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import { canonicalName } from "../../names/canonical.ts";
import { OperationError } from "../../net/error.ts";
import { type Endpoint, type IpAddress, parseEndpoint, parseIp } from "../../net/ip.ts";
import { Flow, PROTOCOL_NUMBERS, putAddress, putHardwareAddress } from "../../policy/flow.ts";
import { placeInterfaces, type PolicyImage } from "../../policy/image.ts";

/** The options, as they were written. */
export interface Question {
  readonly from: string;
  readonly to: string;
  readonly in?: string | undefined;
  readonly protocol?: Protocol | undefined;
  readonly mac?: string | undefined;
  readonly domain?: string | undefined;
}

/** The flow that they tell of. */
export interface AskedFlow {
  readonly protocol: Protocol;
  readonly client: IpAddress;
  readonly clientPort?: number;
  readonly server: Endpoint;
  readonly input?: string;
  readonly hardware?: Uint8Array;
  /** The canonical name. */
  readonly name?: string;
}

/** Reads the options. Throws an OperationError (exit code 2) for what is no flow. */
export function readQuestion({ from, to, in: input, protocol = "tcp", mac, domain }: Question): AskedFlow {
  const endpoint = parseEndpoint(from);
  const client = parseIp(from) ?? endpoint?.address;
  if (client === undefined) throw refuse("--from", from, "it is no address, such as 192.168.1.20");
  const server = parseEndpoint(to);
  if (server === undefined || server.port === 0) {
    throw refuse("--to", to, "it is no address with a port, such as 192.0.2.1:443 or [2001:db8::1]:443");
  }
  if (client.family !== server.address.family) {
    throw refuse("--to", to, "it is of another family than the client");
  }
  if (input === "") throw refuse("--in", "", "it is no interface");
  const hardware = mac === undefined ? undefined : readHardwareAddress(mac);
  const name = domain === undefined ? undefined : canonicalName(domain);
  if (domain !== undefined && name === undefined) throw refuse("--domain", domain, "it is no name");
  return {
    protocol,
    client,
    server,
    ...(endpoint === undefined || endpoint.port === 0 ? {} : { clientPort: endpoint.port }),
    ...(input === undefined ? {} : { input }),
    ...(hardware === undefined ? {} : { hardware }),
    ...(name === undefined ? {} : { name }),
  };
}

function readHardwareAddress(text: string): Uint8Array {
  if (!/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text)) {
    throw refuse("--mac", text, "it is no hardware address, such as 02:00:5e:10:00:01");
  }
  return Uint8Array.from(text.split(/[:-]/), (byte) => parseInt(byte, 16));
}

/** Makes the flow as the policy is asked about it. */
export function flowOf(asked: AskedFlow, image: PolicyImage): Flow {
  const { client, server, protocol, input, hardware, name } = asked;
  const flow = new Flow();
  flow.protocol = PROTOCOL_NUMBERS[protocol];
  flow.ipv6 = client.family === "ipv6";
  putAddress(flow.client, client.bytes, 0, flow.ipv6);
  putAddress(flow.destination, server.address.bytes, 0, flow.ipv6);
  flow.destinationPort = server.port;
  if (input !== undefined) {
    // Any numbers will do: an interface that no rule names gets one behind theirs.
    placeInterfaces(image, new Map(image.interfaces.map((name, index) => [name, index + 1])));
    flow.inputInterface = image.interfaces.indexOf(input) + 1 || image.interfaces.length + 1;
  }
  if (hardware !== undefined) putHardwareAddress(flow, hardware);
  if (name !== undefined) {
    flow.nameAsked = true;
    flow.nameLength = new TextEncoder().encodeInto(name, flow.nameBytes).written;
  }
  return flow;
}

/** The error for an option that says nothing here. */
export function refuse(option: string, written: string, reason: string): OperationError {
  return new OperationError({ operation: `use ${option}`, object: written, reason, usage: true });
}
