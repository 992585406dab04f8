/**
 * Every check, in the order of its findings: of the kernel first, then of this machine.
 * @module
 */
import type { Check } from "../check.ts";
import { addressSpace } from "./address_space.ts";
import { admission } from "./admission.ts";
import { bridgeFilter } from "./bridge_filter.ts";
import { countedConnections } from "./counted_connections.ts";
import { descriptors } from "./descriptors.ts";
import { forwardChains } from "./forward_chains.ts";
import { forwarding } from "./forwarding.ts";
import { helpers } from "./helpers.ts";
import { inputChains } from "./input_chains.ts";
import { iptablesChains } from "./iptables_chains.ts";
import { iptablesPrograms } from "./iptables_programs.ts";
import { kernel } from "./kernel.ts";
import { laterPackets } from "./later_packets.ts";
import { listenerPort } from "./listener_port.ts";
import { loopback } from "./loopback.ts";
import { markUsers } from "./mark_users.ts";
import { markWriters } from "./mark_writers.ts";
import { masquerades } from "./masquerades.ts";
import { memory } from "./memory.ts";
import { networkd } from "./networkd.ts";
import { onFailure } from "./on_failure.ts";
import { outputChains } from "./output_chains.ts";
import { pathChains } from "./path_chains.ts";
import { plan } from "./plan.ts";
import { platform } from "./platform.ts";
import { policy } from "./policy.ts";
import { policyRoutes } from "./policy_routes.ts";
import { procfs } from "./procfs.ts";
import { programPlace } from "./program_place.ts";
import { redirects } from "./redirects.ts";
import { reversePath } from "./reverse_path.ts";
import { rulesBefore } from "./rules_before.ts";
import { synCookies } from "./syn_cookies.ts";
import { tableName } from "./table_name.ts";
import { tableUsers } from "./table_users.ts";
import { trackedFlows } from "./tracked_flows.ts";
import { udpFiltering } from "./udp_filtering.ts";
import { waysOut } from "./ways_out.ts";

/** All of them; a new one is a file of this folder and a line here. */
export const CHECKS: readonly Check<unknown>[] = [
  procfs,
  iptablesPrograms,
  kernel,
  admission,
  plan,
  policy,
  listenerPort,
  descriptors,
  platform,
  addressSpace,
  programPlace,
  memory,
  loopback,
  forwarding,
  waysOut,
  trackedFlows,
  reversePath,
  markUsers,
  rulesBefore,
  policyRoutes,
  tableUsers,
  bridgeFilter,
  tableName,
  inputChains,
  pathChains,
  forwardChains,
  laterPackets,
  countedConnections,
  outputChains,
  markWriters,
  redirects,
  masquerades,
  helpers,
  synCookies,
  udpFiltering,
  iptablesChains,
  onFailure,
  networkd,
];
