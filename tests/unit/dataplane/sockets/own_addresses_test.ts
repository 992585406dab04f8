import assert from "node:assert/strict";
import { makeSockaddr, portOf, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { Clock } from "../../../../src/dataplane/loop/clock.ts";
import { OwnAddresses } from "../../../../src/dataplane/sockets/own_addresses.ts";
import { parseEndpoint } from "../../../../src/net/ip.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";

function sockaddr(text: string): Uint8Array<ArrayBuffer> {
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint(text)!);
  return address;
}

descriptorTest("OwnAddresses tells the machine's own addresses from others, and again, in any order", () => {
  const own = new OwnAddresses(new Clock());
  for (let round = 0; round < 3; round++) {
    for (const text of ["127.0.0.1:80", "127.3.2.1:0", "[::1]:65535"]) {
      assert.equal(own.has(sockaddr(text)), true, text);
    }
    for (const text of ["203.0.113.7:80", "198.51.100.1:0", "[2001:db8::1]:443", "[::2]:1"]) {
      assert.equal(own.has(sockaddr(text)), false, text);
    }
  }
  own.close();
});

descriptorTest("OwnAddresses leaves the port as it was", () => {
  const own = new OwnAddresses(new Clock());
  const address = sockaddr("127.0.0.1:4711");
  own.has(address);
  own.has(address);
  assert.equal(portOf(address), 4711);
  own.close();
});

descriptorTest("OwnAddresses keeps more addresses apart than it remembers", () => {
  const own = new OwnAddresses(new Clock());
  for (let round = 0; round < 2; round++) {
    for (let i = 1; i < 255; i++) {
      assert.equal(own.has(sockaddr(`127.0.0.${i}:1`)), true);
      assert.equal(own.has(sockaddr(`198.51.100.${i}:1`)), false);
    }
  }
  own.close();
});
