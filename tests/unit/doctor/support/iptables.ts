/** Programs of iptables that are not run, and situations with each backend. */
import type { IptablesPrograms, IptablesVariant } from "../../../../src/kernel/iptables/state/programs.ts";
import { configWith } from "../../kernel/support/view.ts";
import { situationWith } from "./machine.ts";

/** Programs of a kind, without some. */
export function programsOf(variant: IptablesVariant, missing: string[] = []): IptablesPrograms {
  const refuse = () => Promise.reject(new Error("not to be run"));
  const version = `iptables v1.8.9 (${variant})`;
  return { variant, version, name: "iptables", missing: () => missing, save: refuse, restore: refuse };
}

/** The router with the backend iptables. */
export const IPTABLES = situationWith({ config: configWith({}, { backend: "iptables" }) });
/** The same with netlink. */
export const NETLINK = situationWith();
