/** install and uninstall against a kernel that is a function, for what a real one here cannot show. */
import assert from "node:assert/strict";
import { applyInstall, removeTable } from "../../../../src/kernel/nft/apply.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { removeRouting } from "../../../../src/kernel/routing/apply.ts";
import { EINVAL, EOPNOTSUPP } from "../../../../src/net/errno.ts";
import type { OperationError } from "../../../../src/net/error.ts";
import { NetlinkConnection } from "../../../../src/netlink/connection.ts";
import { type NetlinkMessage, NLM_F_DUMP } from "../../../../src/netlink/message.ts";
import {
  ack,
  type FakeKernel,
  fakeTransport,
  kernelWithout,
  multipart,
  nlError,
} from "../../netlink/fake_transport.ts";
import { configWith, ROUTER } from "../support/view.ts";

// linux/rtnetlink.h
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const NAMES: Readonly<Record<number, string>> = {
  [RTM_NEWROUTE]: "+route",
  [RTM_DELROUTE]: "-route",
  [RTM_NEWRULE]: "+rule",
  [RTM_DELRULE]: "-rule",
};

function isDump(request: NetlinkMessage): boolean {
  return (request.flags & NLM_F_DUMP) === NLM_F_DUMP && request.body.length > 0 &&
    request.type !== RTM_NEWROUTE &&
    request.type !== RTM_NEWRULE;
}

/** Holds nothing, and answers changes as `changes` does. */
function emptyKernel(changes: FakeKernel): FakeKernel {
  return (requests) =>
    requests.length === 1 && isDump(requests[0])
      ? multipart(requests[0], { type: 0, bodies: [] })
      : changes(requests);
}

function connect(netfilterKernel: FakeKernel) {
  const route = fakeTransport(emptyKernel((requests) => requests.map(ack)));
  const netfilter = fakeTransport(emptyKernel(netfilterKernel));
  const changes = () => route.sent.flat().map(({ type }) => NAMES[type]).filter((name) => name !== undefined);
  return {
    connections: { route: new NetlinkConnection(route), netfilter: new NetlinkConnection(netfilter) },
    changes,
  };
}

const PLAN = planInstall(configWith({ families: ["ipv4"] }), ROUTER);
const MODULES = [
  { expression: "tproxy", module: "nft_tproxy" },
  { expression: "socket", module: "nft_socket" },
  { expression: "fib", module: "nft_fib_inet" },
] as const;

for (const { expression, module } of MODULES) {
  Deno.test(`applyInstall() on a kernel without ${module} names what is missing and takes everything back`, () => {
    const { connections, changes } = connect(kernelWithout(expression));
    assert.throws(() => applyInstall(PLAN, connections), (error: OperationError) => {
      assert.equal(error.missingModule, module);
      assert.match(error.message, /Nothing is installed, the kernel's state is as before$/);
      return true;
    });
    assert.deepEqual(changes(), ["+route", "+rule", "+rule", "-rule", "-rule", "-route"]);
  });
}

Deno.test("applyInstall() on a kernel without nf_tables says so before it changes anything", () => {
  const route = fakeTransport(emptyKernel((requests) => requests.map(ack)));
  const netfilter = fakeTransport((requests) => requests.map((request) => nlError(request, EINVAL)));
  const connections = { route: new NetlinkConnection(route), netfilter: new NetlinkConnection(netfilter) };
  assert.throws(() => applyInstall(PLAN, connections), { missingModule: "nf_tables", outcome: "" });
  assert.equal(route.sent.length, 0);
});

Deno.test("removeTable() and removeRouting() on a kernel without nf_tables find nothing to remove", () => {
  const route = fakeTransport(emptyKernel((requests) => requests.map(ack)));
  const netfilter = fakeTransport((requests) => requests.map((request) => nlError(request, EOPNOTSUPP)));
  assert.deepEqual(removeTable(new NetlinkConnection(netfilter)), { removed: [], left: [] });
  assert.deepEqual(removeTable(undefined), { removed: [], left: [] });
  assert.deepEqual(removeRouting(new NetlinkConnection(route)), []);
});

Deno.test("applyInstall() says what it could not take back", () => {
  const route = fakeTransport(
    emptyKernel((requests) =>
      requests.map((request) => request.type === RTM_DELRULE ? nlError(request, EINVAL) : ack(request))
    ),
  );
  const netfilter = fakeTransport(emptyKernel(kernelWithout("tproxy")));
  const connections = { route: new NetlinkConnection(route), netfilter: new NetlinkConnection(netfilter) };
  assert.throws(
    () => applyInstall(PLAN, connections),
    /left behind and can be removed with "tproxy uninstall": ipv4 rule 500: .* iif eth0 .*; ipv4 rule 500: .* iif br-lan/,
  );
});
