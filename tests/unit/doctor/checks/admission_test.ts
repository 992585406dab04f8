import assert from "node:assert/strict";
import { judgeAdmission } from "../../../../src/doctor/checks/admission.ts";
import { configWith } from "../../kernel/support/view.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";

Deno.test("judgeAdmission() warns where flows are taken early although that is not asked for", () => {
  const judge = (
    asked: "early" | "forward-path",
    admission: typeof FORWARD_PATH | { inForce: "early"; reason: string },
  ) => judgeAdmission(situationWith({ admission, config: configWith({ admission: asked }) }));
  assert.deepEqual(troubles(judge("forward-path", FORWARD_PATH)), []);
  assert.deepEqual(troubles(judge("early", { inForce: "early", reason: "" })), []);
  const [finding] = judge("forward-path", { inForce: "early", reason: "The kernel lacks nft_queue" });
  assert.deepEqual(troubles([finding]), ["warning admission"]);
  assert.equal(finding.what, "intercept.admission: early, where the config has forward-path");
  assert.match(finding.cause, /^The kernel lacks nft_queue\. /);
});

Deno.test("judgeAdmission() says how flows are watched, where names ask for it", () => {
  const situation = (watching?: string) =>
    situationWith({ admission: FORWARD_PATH, watching, config: configWith({ admission: "forward-path" }) });
  const [silent] = judgeAdmission(situation());
  const [told] = judgeAdmission(situation("held by NFQUEUE"));
  assert.deepEqual([silent, told].map(({ state }) => state), ["works", "works"]);
  assert.doesNotMatch(JSON.stringify(silent), /NFQUEUE/);
  assert.match(JSON.stringify(told), /NAT first; held by NFQUEUE/);
});
