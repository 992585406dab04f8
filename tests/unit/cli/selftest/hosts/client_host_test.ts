import assert from "node:assert/strict";
import { outcomeOf } from "../../../../../src/cli/selftest/hosts/client_host.ts";

Deno.test("outcomeOf() tells a refusal, a reset and a silence apart, whichever call has met them", () => {
  const { BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected, TimedOut } = Deno.errors;
  assert.deepEqual(outcomeOf(new ConnectionRefused("connect")), { kind: "refused" });
  for (const error of [new ConnectionReset("read"), new BrokenPipe("write"), new NotConnected("shutdown")]) {
    assert.deepEqual(outcomeOf(error), { kind: "reset" }, error.message);
  }
  assert.deepEqual(outcomeOf(new TimedOut("connect")), { kind: "timeout" });
  assert.deepEqual(outcomeOf(new Error("else")), { kind: "error", text: "else" });
});
