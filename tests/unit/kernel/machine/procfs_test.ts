/** A machine without /proc: nothing is taken for off that only cannot be read. */
import assert from "node:assert/strict";
import { usableFamilies } from "../../../../src/daemon/families.ts";
import { judgeProcfs } from "../../../../src/doctor/checks/procfs.ts";
import { readIpv6State } from "../../../../src/kernel/network.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { configWith, ROUTER } from "../support/view.ts";

function filesWith(texts: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    if (!Object.hasOwn(texts, path)) throw new Deno.errors.NotFound(path);
    return texts[path];
  };
}

const NO_PROC = filesWith({});
const NO_IPV6 = filesWith({ "/proc/sys/net/ipv4/ip_forward": "1\n" });

Deno.test("readIpv6State() tells a machine without IPv6 from one without /proc", () => {
  assert.equal(readIpv6State(NO_IPV6), "absent");
  assert.equal(readIpv6State(NO_PROC), "unknown");
});

Deno.test("without /proc, install and run say so instead of that IPv6 is off", () => {
  const says =
    /Cannot read "\/proc\/sys\/net\/ipv4\/ip_forward": \/proc is not mounted, .*mount -t proc proc \/proc/;
  assert.throws(() => planInstall(configWith(), { ...ROUTER, ipv6: "unknown" }), says);
  assert.throws(() => usableFamilies(configWith(), NO_PROC), says);
  assert.throws(() => usableFamilies(configWith({ families: ["ipv4"] }), NO_PROC), says);
  assert.deepEqual(usableFamilies(configWith(), NO_IPV6), ["ipv4"]);
});

Deno.test("judgeProcfs() blocks where /proc is missing", () => {
  const [{ blocks, cause, remedy }] = judgeProcfs(false);
  assert.ok(blocks);
  assert.match(`${cause}. ${remedy}`, /^\/proc is not mounted.*Mount it/);
  assert.deepEqual(judgeProcfs(true), []);
});
