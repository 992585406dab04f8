/**
 * The reading of the situation: what an install would do here.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import {
  type AdmissionInForce,
  describeWatching,
  readAdmission,
  readWatching,
} from "../../kernel/admission.ts";
import { readBringing } from "../../kernel/bringing.ts";
import { readNetwork } from "../../kernel/network.ts";
import { presentFamilies } from "../../kernel/plan/families.ts";
import type { Plan } from "../../kernel/plan/model.ts";
import type { NetworkView } from "../../kernel/plan/view.ts";
import { compilerOf, planFor } from "../../kernel/compilers.ts";
import { OperationError } from "../../net/error.ts";
import { isOfLinkAlone } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listAddresses } from "../../netlink/route/address.ts";
import { listLinks } from "../../netlink/route/link.ts";
import type { LinkNetwork, Planned, Situation } from "../situation.ts";
import type { KernelDiagnosisOptions } from "./machine.ts";
import { listProcesses } from "./processes.ts";

/** Reads the network and the processes, and plans. */
export function readSituation(
  { loaded, files, readTextFile }: Pick<KernelDiagnosisOptions, "loaded" | "files" | "readTextFile">,
  route: NetlinkConnection,
): Situation {
  const { config } = loaded;
  const network = readNetwork({ connection: route, readTextFile }, config.kernel.table);
  const admission = readAdmission(config);
  const planned = tryPlan(loaded, network, admission);
  const { interfaces, families } = config.intercept;
  const links = listLinks(route);
  const nameOf = (index: number) => links.find((link) => link.index === index)?.name;
  return {
    config,
    planned,
    admission,
    watching: describeWatching(config, admission),
    families: planned.plan?.families ??
      presentFamilies(families, { ipv6: network.ipv6 === "unknown" ? "on" : network.ipv6 }),
    lan: planned.plan?.lan ?? (interfaces === "auto" ? [] : interfaces),
    others: planned.plan?.others ?? [],
    links,
    networks: listAddresses(route).flatMap(({ linkIndex, prefix }): LinkNetwork[] => {
      const link = nameOf(linkIndex);
      return link === undefined || isOfLinkAlone(prefix.address) ? [] : [{ link, prefix }];
    }),
    network,
    processes: listProcesses(files),
  };
}

function tryPlan(loaded: LoadedConfig, network: NetworkView, admission: AdmissionInForce): Planned {
  // Forwarding has a finding of its own.
  const forwarding = { ipv4: true, ipv6: true };
  let plan: Plan | undefined;
  try {
    plan = planFor(loaded, { ...network, forwarding }, {
      admission: admission.inForce,
      ...readWatching(loaded.config, admission),
      bringing: readBringing(admission, { installed: true }),
    });
    // Not every backend can say everything.
    compilerOf(loaded.config).compile(plan);
    return { plan };
  } catch (error) {
    if (error instanceof OperationError) return { obstacle: error, ...plan === undefined ? {} : { plan } };
    throw error;
  }
}
