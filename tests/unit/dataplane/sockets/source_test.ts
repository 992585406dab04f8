import assert from "node:assert/strict";
import { EADDRINUSE, EADDRNOTAVAIL, EPERM } from "../../../../ffi/consts.ts";
import { makeSockaddr, readSockaddr, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import type { Source } from "../../../../src/config/types.ts";
import { OwnAddresses } from "../../../../src/dataplane/sockets/own_addresses.ts";
import { SourceAddress } from "../../../../src/dataplane/sockets/source.ts";
import { Clock } from "../../../../src/dataplane/loop/clock.ts";
import { formatEndpoint, parseEndpoint } from "../../../../src/net/ip.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";

function client(text: string): Uint8Array<ArrayBuffer> {
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint(text)!);
  return address;
}

/** Tells the address that is chosen for a client, and the one instead of it after each errno. */
function choices(source: SourceAddress, text: string, kind: Source, ...errors: number[]): string[] {
  const given = client(text);
  const chosen = source.choose(given, kind);
  const show = () => chosen === null ? "any" : formatEndpoint(readSockaddr(chosen));
  const shown = [show(), ...errors.map((error) => source.changePort(-error) ? show() : "no")];
  assert.deepEqual(given, client(text), "the client's address has changed");
  return shown;
}

Deno.test("SourceAddress keeps the client's port, or takes another where it is held", () => {
  const source = new SourceAddress(null);
  assert.equal(source.mark, 0);
  for (const error of [EADDRINUSE, EADDRNOTAVAIL]) {
    assert.deepEqual(choices(source, "192.0.2.1:80", "client", error, error), [
      "192.0.2.1:80",
      "192.0.2.1:0",
      "no",
    ]);
  }
  assert.deepEqual(choices(source, "192.0.2.1:80", "client", EPERM), ["192.0.2.1:80", "no"]);
});

Deno.test("SourceAddress has one answer for client-address and for router", () => {
  const source = new SourceAddress(null);
  assert.deepEqual(choices(source, "192.0.2.1:80", "client-address", EADDRINUSE), ["192.0.2.1:0", "no"]);
  assert.deepEqual(choices(source, "[2001:db8::1]:80", "router", EADDRINUSE), ["any", "no"]);
});

Deno.test("SourceAddress leaves the flow label of IPv6 behind", () => {
  const address = client("[2001:db8::1]:80");
  address[5] = 7;
  const chosen = new SourceAddress(null).choose(address, "client")!;
  assert.deepEqual(chosen, client("[2001:db8::1]:80"));
});

descriptorTest("SourceAddress does not keep the port of a program on the router itself", () => {
  const own = new OwnAddresses(new Clock());
  const source = new SourceAddress({ mark: 0x10, own });
  assert.equal(source.mark, 0x10);
  assert.deepEqual(choices(source, "127.0.0.1:80", "client", EADDRINUSE), ["127.0.0.1:0", "no"]);
  assert.equal(source.own, true);
  assert.deepEqual(choices(source, "192.0.2.1:80", "client"), ["192.0.2.1:80"]);
  assert.equal(source.own, false);
  own.close();
});
