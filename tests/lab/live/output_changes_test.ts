/** Changes that others make to what this machine sends, as the real nft has them. */
import assert from "node:assert/strict";
import { readOutputChanges } from "../../../src/kernel/output_changes.ts";
import { openNetlink } from "../../../src/netlink/transport.ts";
import { labTest, run } from "../netlink/new_network.ts";

const NOTHING = { incoming: false, outgoing: false, source: false, route: false };

function changes(): typeof NOTHING {
  using netfilter = openNetlink("netfilter");
  return readOutputChanges({ netfilter, readTextFile: () => "" });
}

function load(ruleset: string): void {
  run("nft", ["flush", "ruleset"]);
  run("nft", [ruleset]);
}

labTest(
  "readOutputChanges() finds NAT and marks of others at their hooks, and nothing in empty chains",
  () => {
    assert.deepEqual(changes(), NOTHING);
    load(`table inet fw4 {
    chain dstnat { type nat hook prerouting priority dstnat; }
    chain mangle_output { type route hook output priority mangle; }
    chain srcnat { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }
    chain output { type filter hook output priority filter; meta mark set 1; }
  }`);
    assert.deepEqual(changes(), { ...NOTHING, source: true });
    load(`table ip nat {
    chain PREROUTING { type nat hook prerouting priority dstnat; tcp dport 80 dnat to 10.0.0.1; }
    chain OUTPUT { type nat hook output priority -100; jump DOCKER; }
    chain DOCKER { }
  }
  table ip6 mangle { chain OUTPUT { type route hook output priority mangle; meta mark set 1; }
  }`);
    assert.deepEqual(changes(), { incoming: true, outgoing: true, source: false, route: true });
  },
);

labTest(
  "readOutputChanges() leaves our own tables out, and takes tables of iptables-legacy for all of it",
  () => {
    load(`table inet transparent_proxy {
    chain x { type nat hook output priority 0; dnat ip to 10.0.0.1; }
  }`);
    assert.deepEqual(changes(), NOTHING);
    using netfilter = openNetlink("netfilter");
    const readTextFile = (path: string) => path.endsWith("ip_tables_names") ? "filter\nmangle\n" : "";
    assert.ok(Object.values(readOutputChanges({ netfilter, readTextFile })).every((changes) => changes));
  },
);
