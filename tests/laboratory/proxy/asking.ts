/**
 * The data plane in the router namespace whose first packets ask, with rules that are written by hand: what
 * it does is tried apart from the plan of the rules.
 * @module
 */
import type { Lab } from "../lab.ts";
import { type DataplaneProgram, runDataplane } from "./dataplane.ts";
import type { ConfigText } from "./proxy.ts";

const ZONE = 50080;
const CLIENT = "meta priority 0x74700000";
const SYN = "tcp flags & (fin|syn|rst|ack) == syn";

interface Words {
  readonly ip: "ip" | "ip6";
  readonly ttl: string;
  readonly listener: string;
  readonly address: string;
  readonly icmp: string;
}

const FAMILIES: readonly Words[] = [
  { ip: "ip", ttl: "ip ttl", listener: "127.0.0.1:50080", address: "ipv4_addr", icmp: "icmp type" },
  { ip: "ip6", ttl: "ip6 hoplimit", listener: "[::1]:50080", address: "ipv6_addr", icmp: "icmpv6 type" },
];

function sets({ ip, address }: Words): string {
  const type =
    `type ${address} . inet_service . ${address} . inet_service; flags dynamic,timeout; size 65536;`;
  return `set asking_${ip} { ${type} timeout 5s; }
    set answered_${ip} { ${type} timeout 60s; }`;
}

function divert({ ip, listener }: Words): string {
  return `meta nfproto ${
    family(ip)
  } ${SYN} update @asking_${ip} { ${ip} saddr . tcp sport . ${ip} daddr . tcp dport } return
    meta nfproto ${
    family(ip)
  } tcp flags & (fin|syn|rst|ack) == ack ${ip} saddr . tcp sport . ${ip} daddr . tcp dport @answered_${ip} ct zone set ${ZONE} tproxy ${ip} to ${listener} accept`;
}

function family(ip: "ip" | "ip6"): "ipv4" | "ipv6" {
  return ip === "ip" ? "ipv4" : "ipv6";
}

function inject({ ip, listener }: Words): string {
  const is = `meta nfproto ${family(ip)}`;
  return `${is} update @answered_${ip} { ${ip} saddr . tcp sport . ${ip} daddr . tcp dport } ct zone set ${ZONE} tproxy ${ip} to ${listener} accept`;
}

function refuse({ ip, ttl }: Words): string {
  const is = `${CLIENT} meta nfproto ${family(ip)}`;
  return `${is} ${ttl} 1 reject with tcp reset
      ${is} ${ttl} 2 reject with icmpx host-unreachable
      ${is} ${ttl} 3 reject with icmpx no-route
      ${is} ${ttl} 4 reject with icmpx admin-prohibited
      ${is} ${ttl} 5 reject with icmpx port-unreachable`;
}

function ask({ ip }: Words): string {
  return `iifname "r0" ${SYN} ct original ${ip} saddr . ct original proto-src . ct original ${ip} daddr . ct original proto-dst @asking_${ip} goto question_${ip}`;
}

function question({ ip }: Words): string {
  const worker = (group: number, range: string) => {
    const log = (prefix: string) => `log prefix "${prefix}" group ${group} snaplen 128 queue-threshold 1`;
    const original =
      `${ip} saddr set ct original ${ip} saddr ${ip} daddr set ct original ${ip} daddr tcp sport set ct original proto-src tcp dport set ct original proto-dst`;
    return `@th,0,16 & 0x1fe ${range} ct status & (snat|dnat) == 0 ${log("p")} drop
      @th,0,16 & 0x1fe ${range} ${log("t")} ${original} ${log("o")} drop`;
  };
  return `chain question_${ip} {
      ${worker(50080, "< 256")}
      ${worker(50081, ">= 256")}
    }`;
}

const each = (write: (words: Words) => string) => FAMILIES.map(write).join("\n    ");

/** The rules for two workers; clients are behind r0. */
const RULES = `table inet asking {
    ${each(sets)}
    chain injected {
      ${each(inject)}
    }
    chain divert {
      type filter hook prerouting priority raw - 10; policy accept;
      iifname "lo" meta mark & 3 == 3 goto injected
      iifname != "r0" return
      fib daddr type { local, broadcast, anycast, multicast } return
      meta l4proto tcp socket transparent 1 ${SYN.replace("==", "!=")} ct zone set ${ZONE} accept
      ${each(divert)}
    }
    chain late {
      type filter hook prerouting priority 290; policy accept;
      iifname != "lo" ct zone ${ZONE} meta mark set meta mark | 1 accept
    }
    chain replies {
      type filter hook prerouting priority mangle; policy accept;
      iifname { "r0", "lo" } return
      meta l4proto { tcp, icmp, icmpv6 } socket transparent 1 meta mark set meta mark | 1 accept
    }
    chain zoned {
      type filter hook output priority raw; policy accept;
      ${CLIENT} ct zone set ${ZONE}
      ip daddr . tcp dport . ip saddr . tcp sport @answered_ip ct zone set ${ZONE}
      ip6 daddr . tcp dport . ip6 saddr . tcp sport @answered_ip6 ct zone set ${ZONE}
    }
    chain reroute {
      type route hook output priority -151; policy accept;
      ${CLIENT} meta nfproto ipv4 ip ttl 2-5 meta mark set 0
    }
    chain refused {
      type filter hook output priority -110; policy accept;
      ${each(refuse)}
    }
    chain nat_out { type nat hook output priority -110; policy accept; ${CLIENT} meta nfproto ipv4 dnat ip to ip daddr; ${CLIENT} meta nfproto ipv6 dnat ip6 to ip6 daddr; }
    chain nat_post { type nat hook postrouting priority 90; policy accept; ${CLIENT} meta nfproto ipv4 snat ip to ip saddr; ${CLIENT} meta nfproto ipv6 snat ip6 to ip6 saddr; }
    ${each(question)}
    chain ask {
      type filter hook postrouting priority 300; policy accept;
      ${each(ask)}
    }
  }`;

/** Loads the rules, and starts the data plane with two workers, which are asked. */
export async function startAsking(lab: Lab, config: ConfigText = {}): Promise<DataplaneProgram> {
  await lab.router.nft(RULES);
  for (const ip of ["-4", "-6"]) {
    await lab.router.run([
      "ip",
      ip,
      "rule",
      "add",
      "pref",
      "491",
      "fwmark",
      "3/3",
      "iif",
      "lo",
      "lookup",
      "100",
    ]);
    for (const link of ["r0", "r1"]) {
      await lab.router.run([
        "ip",
        ip,
        "rule",
        "add",
        "pref",
        "500",
        "fwmark",
        "1/3",
        "iif",
        link,
        "lookup",
        "100",
      ]);
    }
    await lab.router.run(["ip", ip, "route", "add", "local", "default", "dev", "lo", "table", "100"]);
  }
  return await runDataplane(lab, config, "forward-path");
}

/** Takes the rules away that ask, as the kernel does when their owner ends. */
export async function stopAsking(lab: Lab): Promise<void> {
  await lab.router.run(["nft", "flush", "chain", "inet", "asking", "ask"]);
}
