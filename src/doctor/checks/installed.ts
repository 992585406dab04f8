/**
 * What is installed, and what becomes of new flows while no proxy is there for them.
 * @module
 */
import { TABLE_NAME } from "../../constants.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import type { ListenerStatus } from "../../kernel/listeners/listeners.ts";
import { isOurTable, readTable } from "../../kernel/nft/state/state.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { Situation } from "../situation.ts";

/** Whose the table of our name is. */
export type TableOwner = "nobody" | "tproxy" | "another program";

/** Throws an OperationError, EPERM without privilege. */
export function readTableOwner(connection: NetlinkConnection): TableOwner {
  const table = readTable(connection);
  if (table === undefined) return "nobody";
  return isOurTable(table) ? "tproxy" : "another program";
}

/** A finding for the name of our table. */
export function judgeTableOwner(owner: TableOwner): Finding {
  const id = "table-name";
  const what = `nf_tables table inet ${TABLE_NAME}`;
  if (owner === "nobody") return works(id, what, "free");
  if (owner === "tproxy") return works(id, what, "installed");
  return warning(id, {
    what,
    blocks: true,
    cause: "A table of this name is there that tproxy did not make",
    remedy: `See "nft list table inet ${TABLE_NAME}", and delete it if nobody needs it`,
  });
}

const FATES = { reset: "refused", drop: "dropped" } as const;

/** With on-failure reset or drop, a protocol that nobody listens for is cut off: a finding for each such protocol. */
export function judgeOnFailure(
  { installed, listeners }: { installed: boolean; listeners: readonly ListenerStatus[] },
  { config }: Situation,
): Finding[] {
  const { onFailure, protocols } = config.intercept;
  const id = "on-failure";
  if (onFailure === "open") return [works(id, "intercept.on-failure: open")];
  const served = (protocol: string) =>
    listeners.some((listener) => listener.protocol === protocol && listener.listening);
  const unserved = protocols.filter((protocol) => !served(protocol));
  if (unserved.length === 0) return [works(id, `intercept.on-failure: ${onFailure}`, "a proxy listens")];
  const someRuns = unserved.length < protocols.length;
  return unserved.map((protocol) =>
    warning(id, {
      what: `intercept.on-failure: ${onFailure}, and nobody listens for ${protocol}`,
      blocks: installed,
      cause: installed
        ? `New ${protocol} flows of the clients are ${FATES[onFailure]} now` +
          (protocol === "udp" ? ", DNS among them" : "")
        : `Once it is installed, new ${protocol} flows are ${
          FATES[onFailure]
        } until a proxy listens for them`,
      remedy: someRuns
        ? `The proxy that runs does not relay ${protocol}: leave ${protocol} out of intercept.protocols, or set ` +
          "intercept.on-failure to open"
        : 'Start "tproxy run", or set intercept.on-failure to open',
    })
  );
}
