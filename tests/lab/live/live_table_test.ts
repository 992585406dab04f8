/** The table of a running proxy in the kernel: whose it is, how it changes, when it is gone. */
import assert from "node:assert/strict";
import type { InterceptConfig } from "../../../src/config/types.ts";
import { forwardPathAbility } from "../../../src/kernel/live/ability.ts";
import { LiveTable, openLiveTable } from "../../../src/kernel/live/live_table.ts";
import { type LivePlan, planLive } from "../../../src/kernel/plan/live/live_plan.ts";
import { ALL_CHANGES, LIVE_OPTIONS } from "../../../src/kernel/plan/live/options.ts";
import { planInstall } from "../../../src/kernel/plan/plan.ts";
import { OperationError } from "../../../src/net/error.ts";
import { parseIp } from "../../../src/net/ip.ts";
import { NftBatch } from "../../../src/netlink/nft/batch.ts";
import { concatenatedKey, portKey } from "../../../src/netlink/nft/sets/set_type.ts";
import { openNetlink } from "../../../src/netlink/transport.ts";
import { configWith, ROUTER } from "../../unit/kernel/support/view.ts";
import { labTest, run } from "../netlink/new_network.ts";

const NAME = "transparent_proxy_live";
const TABLE = ["table", "inet", NAME];

function plan(
  intercept: Partial<InterceptConfig> = {},
  options: Partial<typeof LIVE_OPTIONS> = {},
): LivePlan {
  const config = configWith({ admission: "forward-path", interfaces: ["br-lan"], ...intercept });
  return planLive(planInstall(config, ROUTER, { absentInterfaces: true }).intent.scope, {
    ...LIVE_OPTIONS,
    ...options,
  });
}

const list = (...what: string[]) => run("nft", ["list", ...what]);
const FLOW = /10\.0\.0\.1 \. 7 \. 192\.0\.2\.1 \. 7/;

function refusal(work: () => unknown): OperationError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof OperationError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was refused" });
}

/** Gives what nft says where it refuses. */
function refused(...argv: string[]): string {
  const { success, stderr } = new Deno.Command("nft", { args: argv }).outputSync();
  assert.ok(!success, `nft ${argv.join(" ")} has done it`);
  return new TextDecoder().decode(stderr);
}

labTest("the live table belongs to its process: nobody else changes it, and it goes with the socket", () => {
  const table = openLiveTable();
  table.replace(plan());
  assert.match(list(...TABLE), /flags owner[\s\S]*comment "made by tproxy run"[\s\S]*chain steer/);
  const before = list(...TABLE);
  run("nft", ["flush", "ruleset"]);
  assert.equal(list(...TABLE), before, "flush ruleset");
  assert.match(refused("delete", ...TABLE), /not permitted/);
  assert.match(refused("flush", "chain", "inet", NAME, "steer"), /not permitted/);
  const second = refusal(openLiveTable);
  assert.match(second.message, /it belongs to another running proxy/);
  assert.equal(list(...TABLE), before, "a second proxy");
  table.close();
  assert.equal(list("ruleset"), "");
  openLiveTable().close();
});

labTest("a table of that name of somebody else is left alone; a loaded copy of ours gives way", () => {
  run("nft", ["add", ...TABLE]);
  assert.match(refusal(openLiveTable).message, /tproxy has not made it/);
  assert.match(list("tables"), new RegExp(NAME));
  run("nft", ["delete", ...TABLE]);
  run("nft", [`add ${TABLE.join(" ")} { comment "made by tproxy run"; }`]);
  run("nft", ["add", "chain", "inet", NAME, "old"]);
  const table = openLiveTable();
  table.replace(plan());
  assert.doesNotMatch(list(...TABLE), /chain old/);
  table.close();
});

labTest("replace() changes rules and plain sets, and keeps what packets have put into sets", () => {
  const connection = openNetlink("netfilter");
  new NftBatch().addTable({ family: "inet", name: NAME, flags: ["owner"] }).commit(connection);
  const table = new LiveTable(connection);
  const interfaces = (...names: string[]) => plan({ interfaces: names });
  assert.ok(table.replace(interfaces("br-lan", "lan1")));
  assert.ok(!table.replace(interfaces("br-lan", "lan1")), "the same again");
  const set = (name: string) => list("set", "inet", NAME, name);
  for (const name of ["asking_ipv4", "known_ipv4"]) {
    const key = concatenatedKey(
      ["10.0.0.1", "", "192.0.2.1", ""].map((ip) => parseIp(ip)?.bytes ?? portKey(7)),
    );
    new NftBatch().addElements({ family: "inet", table: NAME, name }, [{ key }]).commit(connection);
  }
  assert.ok(table.replace(interfaces("br-lan", "lan2")));
  assert.match(set("lan"), /"lan2"/);
  assert.doesNotMatch(set("lan"), /"lan1"/);
  for (const name of ["asking_ipv4", "known_ipv4"]) assert.match(set(name), FLOW, name);
  // While it drains nobody asks, and what is relayed goes on.
  assert.ok(table.replace(plan({ interfaces: ["br-lan"] }, { accepting: false })));
  assert.match(set("known_ipv4"), FLOW);
  assert.doesNotMatch(list(...TABLE), /asking|log |set lan /);
  assert.match(
    list(...TABLE),
    /chain to_clients [^]*ct zone set[^]*chain steer|chain steer [^]*chain to_clients [^]*ct zone set/,
  );
  assert.ok(table.replace(interfaces("br-lan", "lan1")));
  assert.match(set("asking_ipv4"), /timeout/);
  table.empty("known_ipv4");
  assert.doesNotMatch(set("known_ipv4"), FLOW);
  table.empty("nothing of that name");
  table.close();
});

labTest("maps of flows' marks are there for both families, and nft lists them", () => {
  const table = openLiveTable();
  table.replace(plan({}, { others: ALL_CHANGES }));
  const listed = list(...TABLE);
  for (const [family, header] of [["ipv4", "ip"], ["ipv6", "ip6"]]) {
    assert.match(listed, new RegExp(`map marks_${family} \\{\\s*type ${family}_addr .* : mark`));
    assert.match(listed, new RegExp(`add @marks_${family} .*${header} saddr .* : ct mark`));
    assert.match(listed, new RegExp(`ct mark set .*map @marks_${family}`));
  }
  table.replace(plan({}, { others: { ...ALL_CHANGES, flowMarks: false } }));
  assert.doesNotMatch(list(...TABLE), /marks_/);
  table.close();
});

labTest("replace() changes nothing where the kernel refuses a part of it", () => {
  const table = openLiveTable();
  table.replace(plan());
  const before = list(...TABLE);
  const { intent } = plan();
  const [chain, ...others] = intent.chains;
  const nowhere = { conditions: [], effect: { kind: "go", to: "nowhere" }, reason: "" } as const;
  const wrong = { intent: { ...intent, chains: [{ ...chain, rules: [nowhere] }, ...others] } };
  assert.match(refusal(() => table.replace(wrong)).message, /Cannot add rule/);
  assert.equal(list(...TABLE), before);
  assert.ok(!table.replace(plan()), "it knows what is there");
  table.close();
});

labTest("forwardPathAbility() leaves nothing, and this kernel lacks nothing", () => {
  assert.equal(forwardPathAbility(), null);
  assert.equal(list("ruleset"), "");
});
