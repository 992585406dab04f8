/**
 * The backend netlink: one table of nf_tables, made by netlink messages.
 * @module
 */
import { TABLE_NAME } from "../../constants.ts";
import type { Backend, FoundInstall } from "../backend/backend.ts";
import { withKernel } from "../machine/connections.ts";
import { DatagramLife, readRunning } from "../liveness/datagram_sign.ts";
import { NO_LIFE } from "../liveness/life.ts";
import type { Machine } from "../machine/machine.ts";
import { refuseOthers } from "../backend/other_installs.ts";
import { NFT_COMPILER } from "./compiler.ts";
import { applyInstall, applyTrial, PLACE, removeTable } from "./apply.ts";
import { asPlanned } from "./replacing/turns.ts";
import { isOurTable, readTable, readTableIfPossible } from "./state/state.ts";
import { compareTable } from "./state/status.ts";
import { tableInForce } from "./trial/in_force.ts";
import { readTrial, removeTrial } from "./trial/state.ts";

/** See the module. */
export const NFT_BACKEND: Backend = {
  ...NFT_COMPILER,
  install(plan, _machine, others, options) {
    refuseOthers(others, NFT_COMPILER.name);
    return withKernel((connections) => applyInstall(plan, connections, options));
  },
  trials: {
    begin(plan, { others }, timeoutMs) {
      refuseOthers(others, NFT_COMPILER.name);
      return withKernel((connections) => applyTrial(plan, connections, timeoutMs));
    },
    keep: (plan) => withKernel((connections) => applyInstall(plan, connections, { keeps: true })),
    left: () => withKernel(({ netfilter }) => readTrial(netfilter)),
    remove: ({ netfilter }) => netfilter !== undefined && removeTrial(netfilter),
  },
  compare(plan) {
    const table = tableInForce(withKernel(({ netfilter }) => readTable(netfilter)));
    return { objects: compareTable(plan, table && asPlanned(table)), place: PLACE };
  },
  find: findOurTable,
  listTraces: (machine) => findOurTable(machine).map(({ name }) => `table ${name}`),
  uninstall: ({ netfilter }) => removeTable(netfilter),
  // At the end of the forward path rules of the proxy's own process take flows: they need no sign.
  life: (proxy) =>
    proxy.config.intercept.routerTraffic && proxy.admission === "early" ? new DatagramLife(proxy) : NO_LIFE,
  rememberLife({ config, admission }) {
    const families = config.intercept.routerTraffic && admission === "early" ? readRunning() : [];
    return () => new DatagramLife({ config, families, admission }).once();
  },
};

function findOurTable({ netfilter }: Machine): FoundInstall[] {
  const table = netfilter && readTableIfPossible(netfilter);
  if (table === undefined || !isOurTable(table)) return [];
  const name = `inet ${TABLE_NAME}`;
  return [{ name, words: `the table ${name} of the backend netlink` }];
}
