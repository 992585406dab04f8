/**
 * With which backend the laboratory tests install: TPROXY_LAB_BACKEND is `netlink` (default), `iptables-nft`
 * or `iptables-legacy`; `iptables` is what the plain name stands for.
 * @module
 */

/** A kind of iptables, by the names of its programs. */
export type IptablesVariant = "nft" | "legacy";

/** The backend, and the kind of iptables that the plain names are to stand for. */
export interface LabBackend {
  readonly name: "netlink" | "iptables";
  readonly variant?: IptablesVariant;
}

/** Reads the backend from the environment. */
export function labBackend(): LabBackend {
  const text = Deno.env.get("TPROXY_LAB_BACKEND") ?? "netlink";
  switch (text) {
    case "netlink":
    case "iptables":
      return { name: text };
    case "iptables-nft":
      return { name: "iptables", variant: "nft" };
    case "iptables-legacy":
      return { name: "iptables", variant: "legacy" };
    default:
      throw new Error(`TPROXY_LAB_BACKEND is "${text}": netlink, iptables, iptables-nft or iptables-legacy`);
  }
}

/** Tells whether the tests install with iptables. */
export function usesIptables(): boolean {
  return labBackend().name === "iptables";
}
