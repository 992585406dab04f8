import assert from "node:assert/strict";
import { usableFamilies } from "../../../../src/daemon/families.ts";
import { chooseFamilies, presentFamilies } from "../../../../src/kernel/plan/families.ts";
import { readIpv6State } from "../../../../src/kernel/network.ts";
import { configWith, ROUTER } from "../support/view.ts";

/** A machine whose IPv6 is so. */
function machine(ipv6: "on" | "off" | "absent"): (path: string) => string {
  const texts: Record<string, string> = {
    "/proc/sys/net/ipv4/ip_forward": "1\n",
    // What the other interfaces say does not count: the listener is on lo.
    "/proc/sys/net/ipv6/conf/all/disable_ipv6": ipv6 === "off" ? "0\n" : "1\n",
    "/proc/sys/net/ipv6/conf/lo/disable_ipv6": ipv6 === "off" ? "1\n" : "0\n",
  };
  return (path) => {
    if (!Object.hasOwn(texts, path) || ipv6 === "absent" && path.includes("ipv6")) {
      throw new Deno.errors.NotFound(path);
    }
    return texts[path];
  };
}

Deno.test("presentFamilies() leaves out IPv6 where it is not on", () => {
  assert.deepEqual(presentFamilies(["ipv4", "ipv6"], { ipv6: "on" }), ["ipv4", "ipv6"]);
  assert.deepEqual(presentFamilies(["ipv4", "ipv6"], { ipv6: "off" }), ["ipv4"]);
  assert.deepEqual(presentFamilies(["ipv6"], { ipv6: "absent" }), []);
});

for (const ipv6 of ["on", "off", "absent"] as const) {
  Deno.test(`install and run choose the same families where IPv6 is ${ipv6}`, () => {
    const readTextFile = machine(ipv6);
    assert.equal(readIpv6State(readTextFile), ipv6);
    for (const wanted of [["ipv4"], ["ipv4", "ipv6"]] as const) {
      const { families } = chooseFamilies([...wanted], { ...ROUTER, ipv6 }, false);
      assert.deepEqual(families, usableFamilies(configWith({ families: [...wanted] }), readTextFile));
    }
  });
}
