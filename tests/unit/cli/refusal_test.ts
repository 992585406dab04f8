/** An install that is refused for a part of the kernel says what doctor says. */
import assert from "node:assert/strict";
import { describeRefusal } from "../../../src/cli/doctor/refusal.ts";
import type { Finding } from "../../../src/doctor/finding.ts";
import { OperationError } from "../../../src/net/error.ts";

const FINDINGS: readonly Finding[] = [
  { id: "a", state: "works", blocks: false, what: "A", cause: "", remedy: "" },
  { id: "b", state: "missing", blocks: false, what: "B", cause: "Unneeded", remedy: "none" },
  { id: "c", state: "missing", blocks: true, what: "C", cause: "This kernel lacks c", remedy: "Load c" },
  { id: "d", state: "warning", blocks: true, what: "D", cause: "Firewall", remedy: "Open it" },
];
const OUTCOME = "The earlier install is in force as before";

Deno.test("describeRefusal() tells what is missing and blocks, what to do, and what is in force now", () => {
  const error = new OperationError({ operation: "add rule", object: "divert/1", errno: 2, outcome: OUTCOME });
  const { message, usage } = describeRefusal(error, FINDINGS)!;
  assert.equal(message, `Cannot install: This kernel lacks c. Load c. ${OUTCOME}`);
  assert.equal(usage, false);
});

Deno.test("describeRefusal() leaves an error alone that no missing part explains", () => {
  const error = new OperationError({ operation: "list tables", object: "inet", errno: 22 });
  assert.equal(describeRefusal(error, FINDINGS.filter(({ id }) => id !== "c")), undefined);
  assert.match(describeRefusal(error, FINDINGS)!.message, /Nothing was changed$/);
});
