/**
 * The ways out of this router, for the log: one that goes is worth a line, for every client waits then.
 * @module
 */
import { readAllRoutes } from "../../kernel/routing/routes.ts";
import { routeLeadsUpstream } from "../../kernel/routing/upstream.ts";
import type { Logger } from "../../log.ts";
import { unlessRefused } from "../../net/error.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listLinks } from "../../netlink/route/link.ts";
import type { Way } from "../../netlink/route/next_hop.ts";
import { openNetlink } from "../../netlink/transport.ts";

/** Milliseconds between two looks while there is none. */
const AGAIN_MS = 3000;

/** The last of them that was said. */
export class WaysOut {
  readonly #log: Logger;
  #last: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(log: Logger) {
    this.#log = log;
    this.#last = readWaysOut();
  }

  /** Says it where the default routes lead elsewhere than before, or nowhere. */
  changed(): void {
    const now = readWaysOut();
    // A cable that is put back changes no route: the kernel tells nothing.
    if (now === "") this.#lookAgain();
    if (now === undefined || now === this.#last) return;
    this.#log.info(
      now === "" ? "no way out any more: servers outside are not reached" : "the way out has changed",
      {
        before: this.#last || "none",
        now: now || "none",
      },
    );
    this.#last = now;
  }

  #lookAgain(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.changed(), AGAIN_MS);
    Deno.unrefTimer(this.#timer);
  }
}

/** Names the interfaces of default routes that work; undefined where it cannot be told. */
function readWaysOut(): string | undefined {
  return unlessRefused(() => {
    using connection = openNetlink("route");
    return listWaysOut(connection).join(", ");
  });
}

function listWaysOut(connection: NetlinkConnection): string[] {
  const ways = readAllRoutes(connection).filter(routeLeadsUpstream).flatMap((route): readonly Way[] =>
    route.nextHops ?? [route]
  );
  const working = ways.filter(({ dead, linkDown }) => dead !== true && linkDown !== true)
    .map(({ outLinkIndex }) => outLinkIndex);
  return listLinks(connection).filter(({ index }) => working.includes(index)).map(({ name }) => name);
}
