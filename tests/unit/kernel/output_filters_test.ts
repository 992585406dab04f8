import assert from "node:assert/strict";
import { chainsMayDrop, passageObstacle } from "../../../src/kernel/output_filters.ts";
import { EINVAL, EPERM } from "../../../src/net/errno.ts";
import type { NftExpression } from "../../../src/netlink/nft/expression.ts";
import { ack, fakeConnection, nlError } from "../netlink/fake_transport.ts";

const rule = (chain: string, ...expressions: NftExpression[]) => ({
  family: "inet" as const,
  table: "t",
  chain,
  expressions,
});
const BASES = [{ family: "inet" as const, table: "t", name: "output" }];
const verdict = (code: "drop" | "accept" | "jump", chain?: string): NftExpression => ({
  kind: "verdict",
  verdict: chain === undefined ? { code } : { code, chain },
});

Deno.test("chainsMayDrop() follows jumps, and looks at nothing that is not reached", () => {
  assert.ok(!chainsMayDrop(BASES, [rule("output", verdict("accept")), rule("other", verdict("drop"))]));
  assert.ok(chainsMayDrop(BASES, [rule("output", verdict("drop"))]));
  const far = [
    rule("output", verdict("jump", "a")),
    rule("a", verdict("jump", "b")),
    rule("b", verdict("drop")),
  ];
  assert.ok(chainsMayDrop(BASES, far));
  assert.ok(!chainsMayDrop(BASES, [rule("output", verdict("jump", "a")), rule("a", verdict("jump", "a"))]));
});

Deno.test("chainsMayDrop() takes what it cannot judge for a drop", () => {
  const map: NftExpression = { kind: "lookup", set: "m", register: 1, destination: 0 };
  const target: NftExpression = { kind: "unknown", name: "target", data: new Uint8Array(0) };
  for (const expression of [map, target]) assert.ok(chainsMayDrop(BASES, [rule("output", expression)]));
  const other: NftExpression = { kind: "unknown", name: "limit", data: new Uint8Array(0) };
  assert.ok(!chainsMayDrop(BASES, [rule("output", other)]));
});

Deno.test("chainsMayDrop() leaves out rules for packets that came in by an interface", () => {
  const drops = (key: "iif" | "iifname" | "oifname", ...test: NftExpression[]) =>
    chainsMayDrop(BASES, [
      rule("output", { kind: "meta", direction: "load", key, register: 1 }, ...test, verdict("drop")),
    ]);
  const cmp = (operator: "eq" | "neq", ...value: number[]): NftExpression => (
    { kind: "cmp", operator, register: 1, value: new Uint8Array(value) }
  );
  assert.ok(!drops("iifname", cmp("eq", 114, 48, 0, 0)));
  assert.ok(!drops("iif", cmp("neq", 0, 0, 0, 0)));
  assert.ok(!drops("iifname", { kind: "lookup", set: "lan", register: 1 }));
  // What has come by no interface meets these.
  assert.ok(drops("iifname", cmp("neq", 114, 48, 0, 0)));
  assert.ok(drops("iif", cmp("eq", 0, 0, 0, 0)));
  assert.ok(drops("iifname", { kind: "lookup", set: "lan", register: 1, inverted: true }));
  assert.ok(drops("oifname", cmp("eq", 114, 49, 0, 0)));
});

Deno.test("passageObstacle() names conntrack's netlink where the kernel does not know it", () => {
  const kernelThat = (errno: number) =>
    fakeConnection(([request]) => [errno === 0 ? ack(request) : nlError(request, errno)]);
  assert.equal(
    passageObstacle(kernelThat(EINVAL)),
    "the kernel lacks nf_conntrack_netlink (CONFIG_NF_CT_NETLINK); on OpenWrt: kmod-nf-conntrack-netlink",
  );
  assert.equal(passageObstacle(kernelThat(0)), undefined);
  assert.equal(passageObstacle(kernelThat(EPERM)), undefined);
});

Deno.test("chainsMayDrop() counts what sends a flow elsewhere", () => {
  const nat: NftExpression = { kind: "nat", type: "dnat", family: "ip", addressRegister: 1 };
  const redirect: NftExpression = { kind: "unknown", name: "redir", data: new Uint8Array(0) };
  for (const expression of [nat, redirect]) assert.ok(chainsMayDrop(BASES, [rule("output", expression)]));
});

Deno.test("chainsMayDrop() passes by rules that are about forwarded packets alone", () => {
  const load: NftExpression = { kind: "meta", direction: "load", key: "iif", register: 1 };
  const cmp = (operator: "eq" | "neq", ...value: number[]): NftExpression => {
    return { kind: "cmp", operator, register: 1, value: Uint8Array.from(value) };
  };
  const lookup = (inverted: boolean): NftExpression => ({
    kind: "lookup",
    set: "lan",
    register: 1,
    inverted,
  });
  const drops = (...tests: NftExpression[]) => {
    return chainsMayDrop(BASES, [rule("output", load, ...tests, verdict("drop"))]);
  };
  for (const test of [cmp("eq", 3, 0, 0, 0), cmp("neq", 0, 0, 0, 0), lookup(false)]) assert.ok(!drops(test));
  for (const test of [cmp("neq", 3, 0, 0, 0), cmp("eq", 0, 0, 0, 0), lookup(true)]) assert.ok(drops(test));
  assert.ok(drops());
});
