import assert from "node:assert/strict";
import { mendChecksum } from "../../../../../src/dataplane/asking/packet/checksums.ts";
import { Question } from "../../../../../src/dataplane/asking/question.ts";
import { isTrain } from "../../../../../src/dataplane/udp/asked/train.ts";

function packet(version: 4 | 6, length: number, { whole = true } = {}): Question {
  const question = new Question();
  question.protocol = 17;
  question.bytes = Uint8Array.from({ length: 4000 }, (_, i) => i * 7);
  question.offset = 40;
  question.length = length;
  question.header = version === 4 ? 20 : 40;
  question.bytes[40] = version << 4;
  question.bytes[46] = whole ? 0x40 : 0;
  mendChecksum(question);
  return question;
}

/** Leaves the checksum to whoever cuts the packet. */
function partial(question: Question): Question {
  const { bytes, offset, header, length } = question;
  let sum = 17 + length - header;
  for (let at = offset + 8; at < offset + 40; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  bytes[offset + header + 6] = sum >> 8;
  bytes[offset + header + 7] = sum & 0xff;
  return question;
}

Deno.test("isTrain() knows large packets that came uncut, and no others", () => {
  assert.equal(isTrain(packet(4, 3000)), true);
  assert.equal(isTrain(packet(4, 1500)), false);
  assert.equal(isTrain(packet(4, 3000, { whole: false })), false, "it came in fragments");
  assert.equal(isTrain(packet(6, 3000)), false, "it came in fragments");
  assert.equal(isTrain(partial(packet(6, 3000))), true);
  assert.equal(isTrain(partial(packet(6, 1500))), false);
});
