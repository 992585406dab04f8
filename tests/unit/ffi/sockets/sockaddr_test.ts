import assert from "node:assert/strict";
import { AF_INET, AF_INET6 } from "../../../../ffi/consts.ts";
import {
  clearPort,
  makeSockaddr,
  netlinkAddress,
  readSockaddr,
  sameSockaddr,
  sockaddrLength,
  writeSockaddr,
} from "../../../../ffi/sockets/sockaddr.ts";
import { formatEndpoint, parseEndpoint } from "../../../../src/net/ip.ts";

function sockaddr(text: string): Uint8Array<ArrayBuffer> {
  const buffer = makeSockaddr().fill(0xff);
  writeSockaddr(buffer, parseEndpoint(text)!);
  return buffer;
}

Deno.test("writeSockaddr() writes struct sockaddr_in as C has it", () => {
  // deno-fmt-ignore
  assert.deepEqual([...sockaddr("192.0.2.1:50080").subarray(0, 16)], [
    2, 0, 0xc3, 0xa0,
    192, 0, 2, 1,
    0, 0, 0, 0, 0, 0, 0, 0,
  ]);
});

Deno.test("netlinkAddress() writes struct sockaddr_nl as C has it", () => {
  assert.deepEqual([...netlinkAddress({ port: 0xffc01234, groups: 0x40440 })], [
    ...[16, 0, 0, 0],
    ...[0x34, 0x12, 0xc0, 0xff],
    ...[0x40, 4, 4, 0],
  ]);
  assert.deepEqual([...netlinkAddress()], [16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("writeSockaddr() writes struct sockaddr_in6 as C has it", () => {
  // deno-fmt-ignore
  assert.deepEqual([...sockaddr("[2001:db8::1]:443").subarray(0, 28)], [
    10, 0, 0x01, 0xbb,
    0, 0, 0, 0,
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    0, 0, 0, 0,
  ]);
});

Deno.test("readSockaddr() reads what writeSockaddr() wrote, and copies", () => {
  for (const text of ["0.0.0.0:0", "255.255.255.255:65535", "127.0.0.1:80", "[::]:0", "[fe80::1]:65535"]) {
    const buffer = sockaddr(text);
    const endpoint = readSockaddr(buffer);
    buffer.fill(0);
    assert.equal(formatEndpoint(endpoint), text);
  }
});

Deno.test("sockaddrLength() is the size of the family's struct", () => {
  assert.equal(sockaddrLength(sockaddr("192.0.2.1:1")), 16);
  assert.equal(sockaddrLength(sockaddr("[::1]:1")), 28);
  assert.deepEqual([sockaddr("192.0.2.1:1")[0], sockaddr("[::1]:1")[0]], [AF_INET, AF_INET6]);
});

Deno.test("clearPort() clears the port alone", () => {
  const buffer = sockaddr("[2001:db8::1]:50080");
  clearPort(buffer);
  assert.equal(formatEndpoint(readSockaddr(buffer)), "[2001:db8::1]:0");
});

Deno.test("sameSockaddr() compares address and port, and nothing else", () => {
  for (
    const [base, others] of [
      ["192.0.2.1:80", ["192.0.2.2:80", "192.0.2.1:81", "192.0.2.1:336", "[::1]:80"]],
      ["[2001:db8::1]:80", ["[2001:db8::2]:80", "[2001:db8::1]:81", "[2002:db8::1]:80", "192.0.2.1:80"]],
    ] as const
  ) {
    assert.equal(sameSockaddr(sockaddr(base), sockaddr(base)), true);
    for (const other of others) assert.equal(sameSockaddr(sockaddr(base), sockaddr(other)), false, other);
  }
  const labelled = sockaddr("[2001:db8::1]:80");
  labelled[5] = 1; // flow label
  assert.equal(sameSockaddr(labelled, sockaddr("[2001:db8::1]:80")), true);
  const padded = sockaddr("192.0.2.1:80");
  padded[9] = 1; // sin_zero
  assert.equal(sameSockaddr(padded, sockaddr("192.0.2.1:80")), true);
});
