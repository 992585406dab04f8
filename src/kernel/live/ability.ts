/**
 * Tells whether this kernel can take flows at the end of the forward path: it is tried, with tables that
 * steer nothing (dormant: no chain of theirs is hooked in) and are gone when the socket closes.
 * @module
 */
import { EACCES, EMFILE, ENFILE, ENOBUFS, ENOENT, ENOMEM, EPERM } from "../../net/errno.ts";
import { DEFAULT_PORT, watchGroup } from "../../constants.ts";
import { OperationError } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import { absentFlow } from "../../netlink/flow.ts";
import { NftBatch } from "../../netlink/nft/batch.ts";
import { hasQueues } from "../../netlink/queue.ts";
import { openNetlink } from "../../netlink/transport.ts";
import { addContents } from "../nft/batch.ts";
import type { CompiledTable } from "../nft/model.ts";
import type { LiveOptions } from "../plan/live/options.ts";
import { queueTrialTables, trialTables, watchTrialTables } from "./trial.ts";

/** Answers to those who may not. */
const POWERLESS: readonly number[] = [EPERM, EACCES];

/** Answers that say nothing about the kernel: what is short now may be there in a moment. */
const SHORTAGES: readonly number[] = [ENOMEM, ENOBUFS, EMFILE, ENFILE];

let known: OperationError | null | undefined;

/**
 * Tries what `admission: forward-path` needs, once for a process, as a kernel stays as it is. Returns the
 * kernel's refusal; null: it refuses nothing, or it cannot be tried without CAP_NET_ADMIN. Throws where it
 * cannot be told for want of memory or descriptors.
 */
export function forwardPathAbility(): OperationError | null {
  if (known === undefined) {
    known = tryAll(trialTables);
  }
  return known;
}

let watches: boolean | undefined;

/**
 * Tries, in the same way, what it needs to watch flows: labels of flows, sight of data (Linux 5.16), and TCP
 * options that are taken away (Linux 5.18).
 */
export function canWatch(): boolean {
  watches ??= tryAll(watchTrialTables) === null;
  return watches;
}

let watchesDatagrams: boolean | undefined;

/** Tells whether a flow can be told to conntrack: whoever watches datagrams has to. */
export function canWatchDatagrams(): boolean {
  watchesDatagrams ??= knowsFlows();
  return watchesDatagrams;
}

function knowsFlows(): boolean {
  try {
    using connection = openNetlink("netfilter");
    connection.execute(absentFlow(), { operation: "look for", object: "a flow that is not there" });
    return true;
  } catch (error) {
    if (!(error instanceof OperationError) || SHORTAGES.includes(error.errno)) throw error;
    return error.errno === ENOENT || POWERLESS.includes(error.errno);
  }
}

let holding: LiveOptions["holding"] | undefined;

/** Tells how watched flows are held here: NFQUEUE keeps the packet itself, with its way and its NAT. */
export function howToHold(): LiveOptions["holding"] {
  return holding ??= tryAll(queueTrialTables) === null && bindsQueues() ? "queue" : "log";
}

function bindsQueues(): boolean {
  using connection = openNetlink("netfilter");
  return hasQueues(connection, watchGroup(DEFAULT_PORT, 0));
}

function tryAll(tablesOf: TablesOf): OperationError | null {
  const both = tryFamilies(["ipv4", "ipv6"], tablesOf);
  // A kernel without IPv6 lacks nothing.
  return both === null || tryFamilies(["ipv4"], tablesOf) === null ? null : both;
}

type TablesOf = (families: readonly Family[]) => CompiledTable[];

function tryFamilies(families: readonly Family[], tablesOf: TablesOf): OperationError | null {
  try {
    using connection = openNetlink("netfilter");
    tablesOf(families).forEach((table, index) => {
      // Its own name for each process: two may try at once.
      makeDormant({ ...table, name: `transparent_proxy_trial_${Deno.pid}_${index}` }).commit(connection);
    });
    return null;
  } catch (error) {
    if (!(error instanceof OperationError) || SHORTAGES.includes(error.errno)) throw error;
    return POWERLESS.includes(error.errno) ? null : error;
  }
}

function makeDormant(table: CompiledTable): NftBatch {
  const batch = new NftBatch().addTable({ family: "inet", name: table.name, flags: ["dormant", "owner"] });
  addContents(batch, table);
  return batch;
}
