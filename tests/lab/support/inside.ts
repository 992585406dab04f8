/**
 * Work of this very process inside a namespace of the laboratory: sockets opened there stay there.
 * @module
 */
import { enterNetwork, openReadOnly, threadId } from "../../../ffi/process.ts";
import { closeFd } from "../../../ffi/socket.ts";
import { check } from "../../../src/net/error.ts";
import type { Namespace } from "./namespace.ts";

/** Does synchronous work with the calling thread in the namespace, and brings the thread back. */
export function inside<T>(namespace: Namespace, work: () => T): T {
  const home = check(openReadOnly(`/proc/self/task/${threadId()}/ns/net`), "open", "the own namespace");
  const there = check(openReadOnly(`/run/netns/${namespace.name}`), "open", namespace.name);
  try {
    check(enterNetwork(there), "enter", namespace.name);
    return work();
  } finally {
    check(enterNetwork(home), "return to", "the own namespace");
    closeFd(there);
    closeFd(home);
  }
}
