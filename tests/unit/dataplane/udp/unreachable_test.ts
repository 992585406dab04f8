import assert from "node:assert/strict";
import { EACCES, EAGAIN, ENETUNREACH, EPERM } from "../../../../ffi/consts.ts";
import {
  icmpMessage,
  kindOfErrno,
  tooLarge,
  type Undeliverable,
} from "../../../../src/dataplane/udp/unreachable.ts";
import { sockaddr } from "../support/addresses.ts";

function datagram(client: string, destination: string, length: number): Undeliverable {
  const words = new Int32Array(16);
  words.set(sockaddr(client), 0);
  words.set(sockaddr(destination), 8);
  return { words, client: 0, destination: 8, length };
}

function about(errno: number, undeliverable: Undeliverable): Uint8Array {
  return icmpMessage(kindOfErrno(errno, undeliverable)!, undeliverable);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** RFC 1071: with a correct checksum in it, the sum of all 16-bit words is 0xffff. */
function wordSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

Deno.test("icmpMessage() is what the kernel sends where there is no route, IPv4", () => {
  const message = about(ENETUNREACH, datagram("10.77.1.2:54321", "9.9.9.9:7000", 2))!;
  assert.equal(wordSum(message), 0xffff);
  assert.equal(wordSum(message.subarray(8, 28)), 0xffff);
  message.fill(0, 2, 4);
  message.fill(0, 18, 20);
  assert.equal(
    hex(message),
    // type 3, code 0, unused; the IP header; the UDP header. The checksums, seen above, are cleared.
    "03 00 00 00 00 00 00 00 " +
      "45 00 00 1e 00 00 00 00 01 11 00 00 0a 4d 01 02 09 09 09 09 " +
      "d4 31 1b 58 00 0a 00 00",
  );
});

Deno.test("icmpMessage() leaves the checksum of IPv6 to the kernel", () => {
  const message = about(EACCES, datagram("[fd77:1::2]:54321", "[2001:db9::1]:7000", 300));
  assert.equal(
    hex(message),
    "01 01 00 00 00 00 00 00 " +
      "60 00 00 00 01 34 11 01 fd 77 00 01 00 00 00 00 00 00 00 00 00 00 00 02 " +
      "20 01 0d b9 00 00 00 00 00 00 00 00 00 00 00 01 " +
      "d4 31 1b 58 01 34 00 00",
  );
});

Deno.test("kindOfErrno() tells only what a router would tell", () => {
  for (const errno of [EPERM, EAGAIN]) {
    assert.equal(kindOfErrno(errno, datagram("10.77.1.2:1", "9.9.9.9:1", 0)), null);
  }
});

Deno.test("tooLarge() names the MTU where RFC 1191 and RFC 4443 have it", () => {
  const message = (undeliverable: Undeliverable) => icmpMessage(tooLarge(1400, undeliverable), undeliverable);
  const ipv4 = message(datagram("10.77.1.2:1", "9.9.9.9:1", 1444));
  assert.equal(wordSum(ipv4), 0xffff);
  assert.equal(hex(ipv4.subarray(0, 2)) + " | " + hex(ipv4.subarray(4, 8)), "03 04 | 00 00 05 78");
  const ipv6 = message(datagram("[fd77:1::2]:1", "[2001:db9::1]:1", 1444));
  assert.equal(hex(ipv6.subarray(0, 8)), "02 00 00 00 00 00 05 78");
});
