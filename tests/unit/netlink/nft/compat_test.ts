import assert from "node:assert/strict";
import { OperationError } from "../../../../src/net/error.ts";
import { extensionRequest, requireExtension } from "../../../../src/netlink/nft/compat.ts";
import { ack, fakeConnection, nlError } from "../fake_transport.ts";
import { assertRecorded, recordedMessages } from "../wire.ts";

Deno.test("extensionRequest() is what iptables-nft asks", () => {
  const target = extensionRequest({ family: "ipv4", type: "target", name: "TPROXY", revision: 1 });
  assertRecorded([target], recordedMessages("compat-target"));
  const match = extensionRequest({ family: "ipv6", type: "match", name: "socket", revision: 3 });
  assertRecorded([match], recordedMessages("compat-match"));
});

Deno.test("requireExtension() returns where the kernel has it and throws the kernel's errno where not", () => {
  const extension = { family: "ipv4", type: "target", name: "TPROXY", revision: 1 } as const;
  // The kernel describes the extension before it acknowledges.
  const described = fakeConnection(([sent]) => [{ ...sent, flags: 0 }, ack(sent)]);
  requireExtension(described, extension);
  const absent = fakeConnection(([sent]) => [nlError(sent, 2)]);
  assert.throws(
    () => requireExtension(absent, extension),
    (error: OperationError) =>
      error.code === "ENOENT" && /Cannot ask for xtables extension "ipv4 target TPROXY"/.test(error.message),
  );
});
