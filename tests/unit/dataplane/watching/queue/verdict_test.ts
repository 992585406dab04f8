/** Messages of queues, as linux/netfilter/nfnetlink_queue.h has them. */
import assert from "node:assert/strict";
import { QueueMessage } from "../../../../../src/dataplane/watching/queue/queue_message.ts";
import { NF_ACCEPT, NF_DROP, VerdictWriter } from "../../../../../src/dataplane/watching/queue/verdict.ts";
import { queueRequests } from "../../../../../src/netlink/queue.ts";

const bytesOf = (hex: string) => Uint8Array.from(hex.match(/[0-9a-f]{2}/g)!, (byte) => parseInt(byte, 16));
const hexOf = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

Deno.test("VerdictWriter writes verdicts; the one that releases sets one label and leaves the others", () => {
  const verdicts = new VerdictWriter(54176);
  const write = (...parts: Parameters<VerdictWriter["write"]>) =>
    hexOf(verdicts.bytes.slice(0, verdicts.write(...parts)));
  // length, type, NLM_F_REQUEST, sequence, port; family, version, queue; verdict and number of the packet.
  assert.equal(
    write(7, NF_DROP, false),
    "20000000" + "0103" + "0100" + "01000000" + "00000000" + "0000d3a0" + "0c000200" + "00000000" +
      "00000007",
  );
  const label = "0000000000000000" + "0000000000000002"; // bit 121
  assert.equal(
    write(0x01020304, NF_ACCEPT, true),
    "4c000000" + "0103" + "0100" + "02000000" + "00000000" + "0000d3a0" + "0c000200" + "00000001" +
      "01020304" +
      "2c000b80" + "14001600" + label + "14001700" + label,
  );
  assert.ok(write(8, NF_ACCEPT, false).startsWith("20000000"), "nothing of the one before is left");
});

Deno.test("queueRequests() binds, and asks for whole packets, joined ones as they are, never to let pass", () => {
  assert.deepEqual(queueRequests(54176).map(({ type, body }) => [type, hexOf(body)]), [
    [0x302, "0000d3a0" + "0800010001000000"],
    [
      0x302,
      "0000d3a0" + "090002000000ffff02000000" + "0800030000001000" + "0800050000000006" + "0800040000000006",
    ],
  ]);
});

const ATTRIBUTES = "0b000100" + "00000009" + "0800" + "00" + "00" + // packet 9, IPv4, hook prerouting
  "08000300" + "80000001" + "08000500" + "00000003" + // mark, interface
  "08000d00" + "00000004" + "08000a00" + "45000004"; // whole length; packet
const MESSAGE = `${(20 + ATTRIBUTES.length / 2).toString(16)}000000` + "0003" + "0000" + "0000000000000000" +
  "020000a0" +
  ATTRIBUTES;

Deno.test("QueueMessage reads a packet's number, mark, interface and bytes", () => {
  const message = new QueueMessage();
  const bytes = bytesOf(MESSAGE);
  assert.ok(message.read(bytes, 0, bytes.length));
  const { id, mark, iif, payload, length } = message;
  assert.deepEqual([id, mark, iif, length], [9, 0x80000001 | 0, 3, 4]);
  assert.equal(hexOf(bytes.slice(payload, payload + length)), "45000004");
});

Deno.test("QueueMessage reads nothing of errors and of what is cut", () => {
  const message = new QueueMessage();
  const bytes = bytesOf(MESSAGE);
  const isAnError = bytes.with(5, 0).with(4, 2);
  assert.ok(!message.read(isAnError, 0, isAnError.length));
  for (let end = 0; end < bytes.length; end++) assert.ok(!message.read(bytes, 0, end), `${end} bytes`);
  for (let size = 0; size < bytes.length; size++) {
    const shorter = bytes.with(0, size);
    if (message.read(shorter, 0, shorter.length)) assert.ok(message.payload + message.length <= size);
  }
});
