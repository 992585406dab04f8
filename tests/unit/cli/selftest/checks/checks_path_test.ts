/** The self-test's checks of surroundings where the kernel cannot have them: skipped, with the reason. */
import assert from "node:assert/strict";
import { type CheckContext, CheckSkip } from "../../../../../src/cli/selftest/checks/check.ts";
import {
  bridge,
  filteredBridge,
  leaveBridge,
  startOnBridge,
} from "../../../../../src/cli/selftest/checks/checks_path.ts";
import { HostError } from "../../../../../src/cli/selftest/hosts/remote.ts";

/** A router that makes no bridge, for this reason. A check that asks it for anything else fails. */
function routerWithoutBridge(error: Error): CheckContext {
  const router = { setBridge: () => Promise.reject(error), hasBridge: () => Promise.resolve(false) };
  return { network: { router }, admission: "forward-path" } as unknown as CheckContext;
}

const LACK = new HostError('Cannot add bridge "br0": EOPNOTSUPP. The kernel lacks bridge', "bridge");

Deno.test("a kernel without bridges: all four checks are skipped, and the first says why", async () => {
  const context = routerWithoutBridge(LACK);
  await assert.rejects(startOnBridge(context), (error) => {
    assert.ok(error instanceof CheckSkip);
    assert.match(error.message, /cannot have a bridge: .*The kernel lacks bridge$/);
    return true;
  });
  for (const family of ["ipv4", "ipv6"] as const) {
    await assert.rejects(bridge(context, family), CheckSkip);
    await assert.rejects(filteredBridge(context, family), CheckSkip);
  }
  await assert.rejects(leaveBridge(context), CheckSkip);
});

Deno.test("a bridge that is refused for another reason is a failure", async () => {
  const refused = new HostError('Cannot add bridge "br0": EPERM', "");
  await assert.rejects(startOnBridge(routerWithoutBridge(refused)), refused);
});
