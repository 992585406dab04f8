import assert from "node:assert/strict";
import { judgeAddressSpace, readAddressSpace } from "../../../../src/doctor/checks/address_space.ts";
import { memoryFiles, processOf, troubles } from "../support/machine.ts";

Deno.test("judgeAddressSpace() goes by the proxy that runs, else by this session", () => {
  const limits = (value: string) =>
    `Max address space         ${value}            unlimited            bytes\n`;
  const files = memoryFiles({
    "/proc/self/limits": limits("unlimited"),
    "/proc/812/limits": limits(String(8 * 1024 ** 3)),
  });
  const session = readAddressSpace(files, [processOf("nginx")]);
  assert.deepEqual(session, { limit: Infinity, of: "this session" });
  assert.deepEqual(troubles(judgeAddressSpace(session)), []);
  const proxy = readAddressSpace(files, [processOf("tproxy", ["tproxy", "run"])]);
  const [finding] = judgeAddressSpace(proxy);
  assert.match(finding.what, /^address space of the proxy that runs: 8 GiB$/);
  assert.match(finding.remedy, /LimitAS/);
  assert.deepEqual(judgeAddressSpace(readAddressSpace(memoryFiles({}), [])), []);
});
