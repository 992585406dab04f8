import assert from "node:assert/strict";
import { parseConfig } from "../../../src/config/load.ts";
import { admissionOf } from "../../../src/policy/admission.ts";

const admission = (text: string) => admissionOf(parseConfig(text, "test"));

Deno.test("admissionOf() takes flows at the end of the forward path where the backend can hold them there", () => {
  assert.equal(admission(""), "forward-path");
  assert.equal(admission("intercept: { admission: early }"), "early");
  assert.equal(admission("kernel: { backend: iptables }"), "early");
});
