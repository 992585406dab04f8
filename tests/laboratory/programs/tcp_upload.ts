/**
 * Uploads as fast as it is taken over several connections, for some seconds, then tells how many bytes the
 * other side has acknowledged, and lives on: `tcp_upload.ts SERVER PORT COUNT SECONDS`.
 * @module
 */
import { EINPROGRESS, EPOLLOUT, SOCK_STREAM } from "../../../ffi/consts.ts";
import { addToEpoll, EpollEvents, openEpoll } from "../../../ffi/epoll.ts";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { connectSocket, openNonBlocking, send } from "../../../ffi/sockets/socket.ts";
import { unacknowledgedBytes } from "../../../ffi/sockets/sockopt.ts";
import { check } from "../../../src/net/error.ts";
import { parseIp } from "../../../src/net/ip.ts";
import { print } from "../machine/print.ts";

const [server, port, count, seconds] = Deno.args;
const to = makeSockaddr();
writeSockaddr(to, { address: parseIp(server)!, port: Number(port) });
const epoll = check(openEpoll(), "epoll_create1");
const sent = new Map<number, number>();
for (let i = 0; i < Number(count); i++) {
  const fd = check(openNonBlocking(to[0], SOCK_STREAM), "socket");
  const returned = connectSocket(fd, to);
  if (returned < 0 && returned !== -EINPROGRESS) check(returned, "connect");
  check(addToEpoll(epoll, fd, EPOLLOUT, fd, 0), "epoll_ctl");
  sent.set(fd, 0);
}
const events = new EpollEvents(64);
const bytes = new Uint8Array(1 << 16);
const end = performance.now() + Number(seconds) * 1000;
while (performance.now() < end) {
  const ready = events.wait(epoll, 50);
  for (let i = 0; i < ready; i++) {
    const fd = events.key(i);
    const taken = send(fd, bytes, bytes.length);
    if (taken > 0) sent.set(fd, sent.get(fd)! + taken);
  }
}
let acknowledged = 0;
for (const [fd, all] of sent) acknowledged += all - unacknowledgedBytes(fd);
print(`acknowledged ${acknowledged}`);
await new Promise(() => setInterval(() => {}, 1000));
