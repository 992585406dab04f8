/**
 * The listeners of a running proxy.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import { listenerAddress } from "../../net/families.ts";
import { type Family, formatEndpoint } from "../../net/ip.ts";
import type { ReadTextFile } from "../machine/machine.ts";
import { hasListener } from "./socket_table.ts";

/** A listener that a running proxy would have. */
export interface ListenerStatus {
  readonly protocol: Protocol;
  readonly address: string;
  readonly listening: boolean;
}

/** The listeners to look for. */
export interface ListenerQuestion {
  readonly protocols: readonly Protocol[];
  readonly families: readonly Family[];
  readonly port: number;
  readonly readTextFile: ReadTextFile;
}

/** Gives each listener of the proxy, there or not, in the network namespace of the calling thread. */
export function findListeners(question: ListenerQuestion): ListenerStatus[] {
  const { port } = question;
  return question.protocols.flatMap((protocol) =>
    question.families.map((family) => ({
      protocol,
      address: formatEndpoint({ address: listenerAddress(family), port }),
      listening: hasListener({ protocol, family, port }, question.readTextFile),
    }))
  );
}
