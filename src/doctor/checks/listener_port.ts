/**
 * The listener's port: free, held by a proxy of ours, or taken by another program. Pure.
 * @module
 */
import { EACCES, EADDRINUSE } from "../../net/errno.ts";
import { formatEndpoint } from "../../net/ip.ts";
import type { Check } from "../check.ts";
import { describeErrno, type Finding, notPermitted, warning, works } from "../finding.ts";
import type { PortFacts } from "../machine/ports.ts";
import { describeProcess, isTproxy, type Process } from "../machine/processes.ts";

/** The check. */
export const listenerPort: Check<readonly PortFacts[]> = {
  id: "listener-port",
  read: ({ ports }) => ports(),
  judge: judgePorts,
};

/** Makes a finding for each place. */
export function judgePorts(facts: readonly PortFacts[]): Finding[] {
  return facts.map(({ protocol, endpoint, errno, holders }) => {
    const id = `listener-${protocol}-${endpoint.address.family}`;
    const what = `${protocol} ${formatEndpoint(endpoint)}`;
    if (errno === 0) return works(id, what, "free");
    const proxy = holders.find(isTproxy);
    if (proxy !== undefined) return works(id, what, `${describeProcess(proxy)} listens`);
    if (errno === EACCES) return notPermitted(id, { what, errno, blocks: true });
    return warning(id, {
      what,
      blocks: true,
      cause: errno === EADDRINUSE ? describeHolders(holders) : describeErrno(errno),
      remedy: errno === EADDRINUSE
        ? "Stop that program, or set listener.port in the config to a port that nobody uses"
        : "Is the loopback up, with its address? ip link set lo up",
    });
  });
}

/** Command lines are cut to this length. */
const SHOWN = 80;

function describeHolders(holders: readonly Process[]): string {
  if (holders.length === 0) return "Another program holds the port; only root can see which";
  return holders.map((holder) => {
    const line = holder.words.join(" ");
    return `${describeProcess(holder)} holds it: ${line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line}`;
  }).join("; ");
}
