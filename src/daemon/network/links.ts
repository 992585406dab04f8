/**
 * Numbers of the interfaces that rules name: workers know an interface by its number alone.
 * @module
 */
import type { Logger } from "../../log.ts";
import { OperationError } from "../../net/error.ts";
import { listLinks } from "../../netlink/route/link.ts";
import { openNetlink } from "../../netlink/transport.ts";
import { placeInterfaces, type PolicyImage } from "../../policy/image.ts";

/**
 * Tells all workers that have this policy, or are about to, which number each interface has now. A link that
 * comes, goes or is renamed is another one.
 */
export function placeLinks(policy: PolicyImage, log: Logger): void {
  if (policy.interfaces.length === 0) return;
  try {
    using connection = openNetlink("route");
    placeInterfaces(policy, new Map(listLinks(connection).map(({ name, index }) => [name, index])));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    log.warn("rules that name interfaces may be missed: the kernel does not tell of them", {
      reason: error.message,
    });
  }
}
