/**
 * Every check, in the order of its findings: of the kernel first, then of this machine.
 * @module
 */
import type { Check } from "../check.ts";
import { addressSpace } from "./address_space.ts";
import { bridgeFilter } from "./bridge_filter.ts";
import { descriptors } from "./descriptors.ts";
import { forwarding } from "./forwarding.ts";
import { forwardChains } from "./forward_chains.ts";
import { inputChains } from "./input_chains.ts";
import { iptablesChains } from "./iptables_chains.ts";
import { iptablesPrograms } from "./iptables_programs.ts";
import { kernel } from "./kernel.ts";
import { listenerPort } from "./listener_port.ts";
import { loopback } from "./loopback.ts";
import { markUsers } from "./mark_users.ts";
import { memory } from "./memory.ts";
import { networkd } from "./networkd.ts";
import { onFailure } from "./on_failure.ts";
import { plan } from "./plan.ts";
import { outputChains } from "./output_chains.ts";
import { platform } from "./platform.ts";
import { procfs } from "./procfs.ts";
import { programPlace } from "./program_place.ts";
import { reversePath } from "./reverse_path.ts";
import { tableName } from "./table_name.ts";
import { tableUsers } from "./table_users.ts";

/** All of them; a new one is a file of this folder and a line here. */
export const CHECKS: readonly Check<unknown>[] = [
  procfs,
  iptablesPrograms,
  kernel,
  plan,
  listenerPort,
  descriptors,
  platform,
  addressSpace,
  programPlace,
  memory,
  loopback,
  forwarding,
  reversePath,
  markUsers,
  tableUsers,
  bridgeFilter,
  tableName,
  inputChains,
  forwardChains,
  outputChains,
  iptablesChains,
  onFailure,
  networkd,
];
