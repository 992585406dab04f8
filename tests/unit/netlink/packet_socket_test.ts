import assert from "node:assert/strict";
import { AF_NETLINK, NETLINK_NETFILTER, SOCK_RAW } from "../../../ffi/consts.ts";
import { closeFd, openSocket } from "../../../ffi/sockets/socket.ts";
import { openPair } from "../../../ffi/sockets/unix.ts";
import { adoptPacketSocket } from "../../../src/netlink/packet_socket.ts";
import { useNetlinkServer } from "../../../src/netlink/served/server.ts";
import { EPIPE } from "../../../src/net/errno.ts";

function openOne(): number {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, { protocol: NETLINK_NETFILTER });
  assert.ok(fd >= 0);
  return fd;
}

function isOpen(fd: number): boolean {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
  } catch {
    return false;
  }
}

Deno.test("adoptPacketSocket() goes on with a socket by itself where there is no server", () => {
  const fd = openOne();
  assert.deepEqual(adoptPacketSocket(fd), { fd, channel: undefined });
  closeFd(fd);
});

Deno.test("adoptPacketSocket() leaves nothing open where the server has gone", () => {
  const ends = new Int32Array(2);
  assert.equal(openPair(ends), 0);
  closeFd(ends[1]);
  const fd = openOne();
  useNetlinkServer(ends[0]);
  try {
    assert.equal(adoptPacketSocket(fd), -EPIPE);
    assert.equal(isOpen(fd), false);
  } finally {
    useNetlinkServer(-1);
    closeFd(ends[0]);
  }
});
