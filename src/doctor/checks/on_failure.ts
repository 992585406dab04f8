/**
 * The fate of new flows while no proxy is there for them. Pure, but for reading.
 * @module
 */
import { findListeners, type ListenerStatus } from "../../kernel/listeners/listeners.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { holdsInstall } from "../machine/iptables.ts";
import type { Situation } from "../situation.ts";

/** The install and the listeners of this machine. */
export interface OnFailureFacts {
  readonly installed: boolean;
  readonly listeners: readonly ListenerStatus[];
}

/** The check. */
export const onFailure: Check<OnFailureFacts> = {
  id: "on-failure",
  async read({ firewalls, readTextFile }, { config, families }) {
    const { owner, iptables } = await firewalls();
    const { protocols } = config.intercept;
    return {
      installed: owner === "tproxy" || holdsInstall(iptables),
      listeners: findListeners({ protocols, families, port: config.listener.port, readTextFile }),
    };
  },
  judge: judgeOnFailure,
};

const FATES = { reset: "refused", drop: "dropped" } as const;

/** Makes a finding for each protocol that nobody listens for: with on-failure reset or drop it is cut off. */
export function judgeOnFailure(
  { installed, listeners }: OnFailureFacts,
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
