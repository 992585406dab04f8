/**
 * The state of a running proxy, as its control socket tells it.
 * @module
 */
import { askControl } from "../../../src/daemon/control/client.ts";
import type { Lab } from "../lab.ts";
import { controlPath } from "../proxy/proxy.ts";

/** Numbers that it tells. */
export interface ProxyState {
  readonly pid: number;
  /** Live ones. */
  readonly connections: number;
  readonly udpSessions: number;
}

/** Asks the laboratory's proxy. */
export async function readState(lab: Lab): Promise<ProxyState> {
  const reply = await askControl(controlPath(lab), { method: "GET", target: "/v1/status" });
  if (reply === undefined) throw new Error("No proxy answers");
  const { pid, connections, udpSessions } = JSON.parse(reply.text);
  const isState = [pid, connections, udpSessions].every((value) => typeof value === "number");
  if (!isState) throw new Error(`The proxy's state is none: ${reply.text}`);
  return { pid, connections, udpSessions };
}
