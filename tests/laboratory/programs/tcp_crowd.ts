/**
 * Opens many TCP connections at once from one address, keeps them, and reads nothing:
 * `tcp_crowd.ts SOURCE PORT COUNT SAYING TARGET…`. Says `dialled`, and `connected N` ten times a second.
 * @module
 */
import { EINPROGRESS, EPOLLOUT, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET } from "../../../ffi/consts.ts";
import { addToEpoll, EpollEvents, openEpoll } from "../../../ffi/epoll.ts";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { bindSocket, connectSocket, openNonBlocking, send } from "../../../ffi/sockets/socket.ts";
import { setInt, takeSocketError } from "../../../ffi/sockets/sockopt.ts";
import { check } from "../../../src/net/error.ts";
import { parseIp } from "../../../src/net/ip.ts";
import { print } from "../machine/print.ts";

const EPOLLONESHOT = 1 << 30;

const [source, port, count, saying, ...targets] = Deno.args;
const words = new TextEncoder().encode(saying);
const epoll = check(openEpoll(), "epoll_create1");
for (let i = 0; i < Number(count); i++) {
  const from = makeSockaddr();
  writeSockaddr(from, { address: parseIp(source)!, port: 0 });
  const to = makeSockaddr();
  writeSockaddr(to, { address: parseIp(targets[i % targets.length])!, port: Number(port) });
  const fd = check(openNonBlocking(to[0], SOCK_STREAM), "socket");
  check(setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1), "SO_REUSEADDR");
  check(bindSocket(fd, from), "bind");
  const returned = connectSocket(fd, to);
  if (returned < 0 && returned !== -EINPROGRESS) check(returned, "connect");
  check(addToEpoll(epoll, fd, EPOLLOUT | EPOLLONESHOT, fd, 0), "epoll_ctl");
}
print("dialled");
const events = new EpollEvents(256);
let connected = 0;
for (;;) {
  const ready = events.wait(epoll, 0);
  for (let i = 0; i < ready; i++) {
    const fd = events.key(i);
    if (takeSocketError(fd) !== 0) continue;
    connected++;
    if (words.length > 0) send(fd, words, words.length);
  }
  if (ready > 0) continue;
  print(`connected ${connected}`);
  await new Promise((resolve) => setTimeout(resolve, 100));
}
