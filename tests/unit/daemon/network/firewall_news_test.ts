import assert from "node:assert/strict";
import { NetworkChange } from "../../../../src/daemon/network/change.ts";
import { readFirewallNews } from "../../../../src/daemon/network/firewall_news.ts";
import { AttributeWriter } from "../../../../src/netlink/attribute.ts";

// linux/netfilter/nf_tables.h: enum nf_tables_msg_types
const SUBSYSTEM = 10;
const [NEW_RULE, NEW_SET, NEW_FLOW_TABLE, DELETE_FLOW_TABLE] = [6, 9, 22, 24];

Deno.test("readFirewallNews() has all planned again when a flow table comes or goes, as nothing else of others", () => {
  const plans = (type: number) => {
    const change = new NetworkChange();
    const body = new AttributeWriter().structure(new Uint8Array([1, 0, 0, 0])).string(1, "fw4").finish();
    readFirewallNews(
      { type: (SUBSYSTEM << 8) | type, flags: 0, sequence: 0, portId: 0, body },
      false,
      change,
    );
    return [change.plan, change.firewall];
  };
  assert.deepEqual([NEW_RULE, NEW_SET, NEW_FLOW_TABLE, DELETE_FLOW_TABLE].map(plans), [
    [false, true],
    [false, false],
    [true, true],
    [true, true],
  ]);
});
