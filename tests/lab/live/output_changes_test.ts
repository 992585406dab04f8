/** Changes that others make to what this machine sends, as the real nft has them. */
import assert from "node:assert/strict";
import { readOtherRules } from "../../../src/kernel/other_rules.ts";
import { findOutputChanges } from "../../../src/kernel/output_changes.ts";
import { ALL_CHANGES } from "../../../src/kernel/plan/live/options.ts";
import { Survey } from "../../../src/daemon/routes/survey.ts";
import { ROUTE_BOARD_WORDS, RouteBoard } from "../../../src/dataplane/routes/route_board.ts";
import { createLogger } from "../../../src/log.ts";
import { openNetlink } from "../../../src/netlink/transport.ts";
import { labTest, run } from "../netlink/new_network.ts";

const NOTHING = { incoming: false, outgoing: false, source: false, route: false, flowMarks: false };

function changes(): typeof NOTHING {
  using netfilter = openNetlink("netfilter");
  return findOutputChanges(readOtherRules({ netfilter, readTextFile: () => "" }));
}

function load(ruleset: string): void {
  run("nft", ["flush", "ruleset"]);
  run("nft", [ruleset]);
}

labTest(
  "findOutputChanges() finds NAT and marks of others at their hooks, and nothing in empty chains",
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
    assert.deepEqual(changes(), { ...NOTHING, incoming: true, outgoing: true, route: true });
  },
);

labTest("findOutputChanges() finds marks of flows in any chain, and none in who only asks for them", () => {
  const forward = (rule: string) =>
    `table inet a { chain f { type filter hook forward priority 0; ct state new jump g; }; chain g { ${rule}; }; }`;
  load(forward("ct mark 0x77 meta mark set ct mark accept"));
  assert.deepEqual(changes(), NOTHING);
  load(forward("ct mark set 0x77"));
  assert.deepEqual(changes(), { ...NOTHING, flowMarks: true });
  load(forward("ct mark set ct mark & 0xff | 0x100"));
  assert.deepEqual(changes(), { ...NOTHING, flowMarks: true });
  load("table ip6 mangle { chain PREROUTING { type filter hook prerouting priority mangle; }; }");
  run("ip6tables", ["-t", "mangle", "-A", "PREROUTING", "-j", "MARK", "--set-mark", "7"]);
  assert.deepEqual(changes(), NOTHING);
  run("ip6tables", ["-t", "mangle", "-A", "PREROUTING", "-j", "CONNMARK", "--save-mark"]);
  assert.deepEqual(changes(), { ...NOTHING, flowMarks: true });
});

labTest(
  "findOutputChanges() leaves our own tables out, and takes tables of iptables-legacy for all of it",
  () => {
    load(`table inet transparent_proxy {
    chain x { type nat hook output priority 0; dnat ip to 10.0.0.1; }
  }`);
    assert.deepEqual(changes(), NOTHING);
    using netfilter = openNetlink("netfilter");
    const readTextFile = (path: string) => path.endsWith("ip_tables_names") ? "filter\nmangle\n" : "";
    assert.ok(
      Object.values(findOutputChanges(readOtherRules({ netfilter, readTextFile }))).every((changes) =>
        changes
      ),
    );
  },
);

labTest("a survey finds later that iptables-legacy has got a table", () => {
  run("nft", ["flush", "ruleset"]);
  let told: object | undefined;
  const survey = new Survey({
    board: new RouteBoard(new Int32Array(new SharedArrayBuffer(ROUTE_BOARD_WORDS * 4))),
    mark: 0,
    replyMark: 0,
    outputCloses() {},
    outputChanges: (others) => told = others,
    log: createLogger({ level: "error", format: "text", write() {} }),
    // The network of this thread.
    readTextFile: (path) => Deno.readTextFileSync(path.replace(/^\/proc\/net/, "/proc/thread-self/net")),
  });
  survey.look();
  assert.deepEqual(told, NOTHING);
  told = undefined;
  survey.again();
  assert.equal(told, undefined, "nothing has changed");
  run("iptables-legacy", ["-t", "nat", "-A", "OUTPUT", "-j", "ACCEPT"]);
  survey.again();
  assert.deepEqual(told, ALL_CHANGES);
});
