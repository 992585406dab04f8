import assert from "node:assert/strict";
import { makeSockaddr, portOf, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { isOwnAddress } from "../../../../src/dataplane/sockets/own_address.ts";
import { parseEndpoint } from "../../../../src/net/ip.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";

function sockaddr(text: string): Uint8Array<ArrayBuffer> {
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint(text)!);
  return address;
}

descriptorTest(
  "isOwnAddress() tells what every socket here may have from addresses of other machines",
  () => {
    for (
      const text of [
        "127.0.0.1:80",
        "127.3.2.1:0",
        "127.255.255.255:5",
        "[::1]:65535",
        "0.0.0.0:80",
        "[::]:80",
        "224.0.0.251:5353",
        "239.255.255.255:1",
        "255.255.255.255:67",
        "[ff02::fb]:5353",
      ]
    ) {
      assert.equal(isOwnAddress(sockaddr(text)), true, text);
    }
    for (const text of ["203.0.113.7:80", "198.51.100.1:0", "240.0.0.1:1", "[2001:db8::1]:443", "[::2]:1"]) {
      assert.equal(isOwnAddress(sockaddr(text)), false, text);
    }
  },
);

descriptorTest("isOwnAddress() leaves the address as it was", () => {
  const address = sockaddr("127.0.0.1:4711");
  isOwnAddress(address);
  assert.equal(portOf(address), 4711);
});
