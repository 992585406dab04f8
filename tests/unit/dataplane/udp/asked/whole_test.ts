import assert from "node:assert/strict";
import { VERDICT_TTL } from "../../../../../src/constants.ts";
import { isWhole, mayBeJoined } from "../../../../../src/dataplane/udp/asked/whole.ts";
import { Question } from "../../../../../src/dataplane/asking/question.ts";

function packet(version: number, flags: number, length = 100): Question {
  const question = new Question();
  question.bytes = new Uint8Array(200);
  question.offset = 40;
  question.length = length;
  question.bytes[40] = version << 4;
  question.bytes[46] = flags;
  return question;
}

Deno.test('isWhole(): IPv4 with "don\'t fragment", and IPv6 that did not come in fragments', () => {
  assert.equal(isWhole(packet(4, 0x40)), true);
  assert.equal(isWhole(packet(4, 0)), false);
  assert.equal(isWhole(packet(6, 0, 1500)), true);
  assert.equal(isWhole(packet(6, 0x40, 1501)), false);
});

Deno.test("mayBeJoined(): what has asked, and is larger than every link takes", () => {
  assert.equal(mayBeJoined(VERDICT_TTL.accept, 1233), true);
  assert.equal(mayBeJoined(VERDICT_TTL.accept, 1232), false);
  assert.equal(mayBeJoined(64, 1400), false, "it came by itself");
});
