import assert from "node:assert/strict";
import { UdpFilter } from "../../../../src/dataplane/udp/filter.ts";
import { sockaddr } from "../support/addresses.ts";

/** A table all of whose sessions are filtered. */
const ALL = { filtered: new Uint8Array(8).fill(1) };

Deno.test("UdpFilter admits those to whom the session has sent, until it ends", () => {
  const filter = new UdpFilter(ALL);
  filter.sending(3, sockaddr("192.0.2.1:53"), 0);
  filter.sending(3, sockaddr("192.0.2.1:53"), 0);
  filter.sending(3, sockaddr("[2001:db8::1]:443"), 0);
  assert.equal(filter.admits(3, sockaddr("192.0.2.1:53"), 0), true);
  assert.equal(filter.admits(3, sockaddr("[2001:db8::1]:443"), 0), true);
  assert.equal(filter.admits(3, sockaddr("192.0.2.1:54"), 0), false, "another port");
  assert.equal(filter.admits(4, sockaddr("192.0.2.1:53"), 0), false, "another session");
  filter.closing(3);
  assert.equal(filter.admits(3, sockaddr("192.0.2.1:53"), 0), false);
  filter.closing(3);
});

Deno.test("UdpFilter forgets the first of more than 4096", () => {
  const filter = new UdpFilter(ALL);
  const peer = (i: number) => sockaddr(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:1`);
  for (let i = 0; i < 4098; i++) filter.sending(1, peer(i), 0);
  assert.deepEqual([0, 1, 2, 4097].map((i) => filter.admits(1, peer(i), 0)), [false, false, true, true]);
  filter.closing(1);
  assert.equal(filter.admits(1, peer(4097), 0), false);
});

Deno.test("UdpFilter lets sessions alone that it does not concern", () => {
  const filter = new UdpFilter({ filtered: new Uint8Array([0, 1, 0]) });
  filter.sending(1, sockaddr("192.0.2.1:53"), 0);
  filter.sending(2, sockaddr("192.0.2.1:53"), 0);
  assert.equal(filter.admits(1, sockaddr("192.0.2.2:53"), 0), false);
  assert.equal(filter.admits(1, sockaddr("192.0.2.1:53"), 0), true);
  assert.equal(filter.admits(2, sockaddr("192.0.2.2:53"), 0), true);
  filter.closing(1);
  filter.closing(2);
});
