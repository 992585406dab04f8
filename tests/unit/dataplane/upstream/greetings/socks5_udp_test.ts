/** Datagrams through a SOCKS5 proxy, and where they are sent. */
import assert from "node:assert/strict";
import { makeSockaddr } from "../../../../../ffi/sockets/sockaddr.ts";
import { AF_INET, AF_INET6 } from "../../../../../ffi/consts.ts";
import {
  isPublic,
  readSocksHeader,
  relayAddress,
  socksHeaderLength,
  writeSocksHeader,
} from "../../../../../src/dataplane/upstream/greetings/socks5_udp.ts";
import { octets, sockaddr } from "./talk.ts";

Deno.test("The header of a datagram is written as RFC 1928 has it, and read again", () => {
  for (
    const [address, header] of [
      ["198.51.100.7:53", "0000 00 01 c6336407 0035"],
      ["[2001:db8::7]:443", "0000 00 04 20010db8000000000000000000000007 01bb"],
    ]
  ) {
    const bytes = new Uint8Array(64).fill(0xaa);
    const length = writeSocksHeader(bytes, sockaddr(address));
    assert.deepEqual(bytes.subarray(0, length), octets(header));
    assert.equal(length, socksHeaderLength(sockaddr(address)[0]));
    const source = makeSockaddr().fill(0xff);
    assert.equal(readSocksHeader(bytes, 40, source), length);
    assert.deepEqual(source, sockaddr(address));
    for (let cut = 0; cut < length; cut++) assert.equal(readSocksHeader(bytes, cut, source), -1, `${cut}`);
  }
  assert.deepEqual([socksHeaderLength(AF_INET), socksHeaderLength(AF_INET6)], [10, 22]);
});

Deno.test("Fragments, datagrams from names and of unknown types are dropped", () => {
  const source = makeSockaddr();
  for (const header of ["0000 01 01 c6336407 0035", "0000 00 03 01 61 0035", "0000 00 02 c6336407 0035"]) {
    const bytes = octets(header, '"data"');
    assert.equal(readSocksHeader(bytes, bytes.length, source), -1, header);
  }
});

Deno.test("A relay is where the proxy is, unless the reply names a public address and the proxy has none", () => {
  const cases: [bound: string | null, proxy: string, relay: string][] = [
    ["0.0.0.0:5000", "203.0.113.9:1080", "203.0.113.9:5000"],
    ["10.0.0.5:5000", "203.0.113.9:1080", "203.0.113.9:5000"],
    ["198.51.100.1:5000", "203.0.113.9:1080", "203.0.113.9:5000"],
    ["198.51.100.1:5000", "192.168.1.9:1080", "198.51.100.1:5000"],
    ["192.168.7.7:5000", "192.168.1.9:1080", "192.168.1.9:5000"],
    ["0.0.0.0:5000", "[2001:db8::9]:1080", "[2001:db8::9]:5000"],
    ["[::]:5000", "10.0.0.1:1080", "10.0.0.1:5000"],
    [null, "10.0.0.1:1080", "10.0.0.1:0"],
  ];
  for (const [bound, proxy, expected] of cases) {
    const relay = makeSockaddr();
    relayAddress(bound === null ? makeSockaddr() : sockaddr(bound), sockaddr(proxy), relay);
    assert.deepEqual(relay, sockaddr(expected), `${bound} ${proxy}`);
  }
});

Deno.test("Addresses of private networks, links and groups are not public", () => {
  const others = [
    "10.1.2.3",
    "127.0.0.1",
    "100.64.0.1",
    "169.254.1.1",
    "172.31.0.1",
    "192.168.0.1",
    "224.0.0.1",
  ];
  for (const address of [...others, "0.0.0.0", "[fd00::1]", "[fe80::1]", "[::1]", "[ff02::1]", "[::]"]) {
    assert.equal(isPublic(sockaddr(`${address}:1`)), false, address);
  }
  for (const address of ["9.9.9.9", "100.128.0.1", "172.32.0.1", "192.169.0.1", "[2001:db8::1]"]) {
    assert.equal(isPublic(sockaddr(`${address}:1`)), true, address);
  }
});
