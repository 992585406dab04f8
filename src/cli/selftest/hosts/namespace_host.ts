/**
 * Abilities of every host of the self-test: a network namespace, links, addresses, routes, sysctls.
 * @module
 */
import { openReadOnly, threadId, unshareNetwork } from "../../../../ffi/process.ts";
import { readIpv6State } from "../../../kernel/network.ts";
import { listLinks, setLinkUp } from "../../../netlink/route/link.ts";
import { addAddress } from "../../../netlink/route/address.ts";
import { addRoute } from "../../../netlink/route/route.ts";
import { openNetlink } from "../../../netlink/transport.ts";
import { check } from "../../../net/error.ts";
import { parseIp, parsePrefix } from "../../../net/ip.ts";

const MAIN_TABLE = 254; // RT_TABLE_MAIN
const PROTOCOL_STATIC = 4; // RTPROT_STATIC

/** 10 ms each. */
const ADDRESS_ATTEMPTS = 300;

function canListen(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrNotAvailable) return false;
    throw error;
  }
}

/** A host without a role. */
export class NamespaceHost {
  /** Moves this thread into a new namespace; the descriptor of it, which the whole process can use. */
  join(): number {
    const hint = "It needs root, or a kernel that lets users make namespaces";
    check(unshareNetwork(), "make", "a network namespace", hint);
    return check(openReadOnly(`/proc/self/task/${threadId()}/ns/net`), "open", "the network namespace");
  }

  /** Tells whether this kernel has IPv6 switched on. */
  hasIpv6(): boolean {
    return readIpv6State(Deno.readTextFileSync) === "on";
  }

  /** Equivalent to: sysctl -w NAME=VALUE. Names with slashes. */
  writeSysctls(values: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(values)) {
      Deno.writeTextFileSync(`/proc/sys/net/${name}`, `${value}\n`);
    }
  }

  /** Reads numbers; names with slashes. */
  readSysctls(names: readonly string[]): Record<string, number> {
    const read = (name: string) => Number(Deno.readTextFileSync(`/proc/sys/net/${name}`));
    return Object.fromEntries(names.map((name) => [name, read(name)]));
  }

  /** Equivalent to: ip link set NAME up; ip address add PREFIX dev NAME nodad */
  configureLink(name: string, prefixes: readonly string[]): void {
    using connection = openNetlink("route");
    const link = listLinks(connection).find((candidate) => candidate.name === name);
    if (link === undefined) throw new Error(`There is no interface ${name}`);
    for (const text of prefixes) {
      addAddress(connection, { linkIndex: link.index, prefix: parsePrefix(text)! });
    }
    setLinkUp(connection, link.index);
  }

  /** Waits until sockets can have these addresses: the kernel finishes IPv6 addresses in the background. */
  async waitForAddresses(addresses: readonly string[]): Promise<void> {
    for (const hostname of addresses) {
      for (let attempt = 1; !canListen(hostname); attempt++) {
        if (attempt === ADDRESS_ATTEMPTS) throw new Error(`The address ${hostname} does not become usable`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  /** Equivalent to: ip route add default via GATEWAY dev LINK */
  addDefaultRoute(linkName: string, gateway: string): void {
    using connection = openNetlink("route");
    const link = listLinks(connection).find((candidate) => candidate.name === linkName)!;
    const address = parseIp(gateway)!;
    addRoute(connection, {
      family: address.family,
      table: MAIN_TABLE,
      type: "unicast",
      outLinkIndex: link.index,
      gateway: address,
      protocol: PROTOCOL_STATIC,
      scope: 0,
    });
  }
}
