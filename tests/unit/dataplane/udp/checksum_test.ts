import assert from "node:assert/strict";
import { udpChecksum } from "../../../../src/dataplane/udp/checksum.ts";

/**
 * RFC 1071 as it is written: the whole of pseudo header, UDP header and data as big-endian 16-bit numbers.
 */
function reference(source: number[], destination: number[], ports: number[], data: Uint8Array): number {
  const length = data.length + 8;
  const all = [...source, ...destination, 0, 17, length >> 8, length & 0xff];
  all.push(...ports, length >> 8, length & 0xff, 0, 0, ...data);
  if (all.length % 2 === 1) all.push(0);
  let sum = 0;
  for (let i = 0; i < all.length; i += 2) sum += all[i] * 256 + all[i + 1];
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return 0xffff - sum === 0 ? 0xffff : 0xffff - sum;
}

function native(bytes: number[]): number {
  return new Int32Array(Uint8Array.from(bytes).buffer)[0];
}

function swap(value: number): number {
  return ((value & 0xff) << 8) | (value >> 8);
}

const SOURCE = [203, 0, 113, 2];
const DESTINATION = [10, 77, 1, 2];
const PORTS = [0, 53, 0xc3, 0x50];

function checksum(memory: Uint8Array<ArrayBuffer>, offset: number, length: number, ports = PORTS): number {
  const data = { bytes: memory, words: new Int32Array(memory.buffer) };
  return swap(udpChecksum(data, offset, length, native(SOURCE), native(DESTINATION), native(ports)));
}

Deno.test("udpChecksum() is that of RFC 1071, for every length and place", () => {
  const memory = crypto.getRandomValues(new Uint8Array(4096));
  for (const offset of [0, 1, 2, 3, 4, 1024]) {
    for (const length of [0, 1, 2, 3, 4, 5, 63, 64, 1199, 1200, 1472]) {
      const expected = reference(SOURCE, DESTINATION, PORTS, memory.subarray(offset, offset + length));
      assert.equal(checksum(memory, offset, length), expected, `${length} bytes at ${offset}`);
    }
  }
});

Deno.test("udpChecksum() does not overflow, and is never 0", () => {
  const ones = new Uint8Array(65_536).fill(0xff);
  const ports = [0xff, 0xff, 0xff, 0xff];
  for (const length of [65_507, 65_506, 65_504]) {
    const expected = reference(SOURCE, DESTINATION, ports, ones.subarray(0, length));
    assert.equal(checksum(ones, 0, length, ports), expected);
  }
  // Data chosen so that the sum comes to 0xffff, whose complement would be 0.
  const data = new Uint8Array(4);
  const rest = reference(SOURCE, DESTINATION, PORTS, data.subarray(0, 2));
  data[0] = rest >> 8;
  data[1] = rest & 0xff;
  assert.equal(checksum(data, 0, 2), 0xffff);
});
