import assert from "node:assert/strict";
import { writeSockaddr } from "../../../../../ffi/sockets/sockaddr.ts";
import { mendChecksum } from "../../../../../src/dataplane/asking/packet/checksums.ts";
import { Question } from "../../../../../src/dataplane/asking/question.ts";
import { parseIp } from "../../../../../src/net/ip.ts";
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
  const [addresses, end] = header === 20 ? [12, 20] : [8, 40];
  for (let at = offset + addresses; at < offset + end; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  bytes[offset + header + 6] = sum >> 8;
  bytes[offset + header + 7] = sum & 0xff;
  return question;
}

Deno.test("isTrain() knows large packets that came uncut, and no others", () => {
  assert.equal(isTrain(packet(4, 3000)), true);
  assert.equal(isTrain(packet(4, 1500)), false);
  assert.equal(isTrain(packet(4, 3000, { whole: false })), false, "it came in fragments");
  assert.equal(isTrain(partial(packet(4, 3000, { whole: false }))), true, "its sender joins, and cuts");
  assert.equal(isTrain(packet(6, 3000)), false, "it came in fragments");
  assert.equal(isTrain(partial(packet(6, 3000))), true);
  assert.equal(isTrain(partial(packet(6, 1500))), false);
  for (const [version, address, source] of [[4, "10.0.0.1", 12], [6, "2001:db8::1", 8]] as const) {
    const translated = packet(version, 3000, { whole: false });
    const { bytes, offset, answer } = translated;
    const place = bytes.subarray(offset + source, offset + (version === 4 ? 16 : 24));
    const original = place.slice();
    const destination = bytes.subarray(place.byteOffset + place.length, place.byteOffset + 2 * place.length);
    writeSockaddr(answer.source, { address: parseIp(address)!, port: 0 });
    const at = version === 4 ? 4 : 8;
    answer.destination.set(answer.source.subarray(0, 2));
    answer.destination.set(destination, at);
    place.set(answer.source.subarray(at, at + place.length));
    partial(translated);
    place.set(original);
    assert.equal(isTrain(translated), true, "NAT has changed its checksum");
  }
});
