import assert from "node:assert/strict";
import {
  EAGAIN,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  MSG_OOB,
} from "../../../ffi/consts.ts";
import {
  addToEpoll,
  changeInEpoll,
  drainEventFd,
  EpollEvents,
  openEpoll,
  openEventFd,
  removeFromEpoll,
  signalEventFd,
} from "../../../ffi/epoll.ts";
import { closeFd, sendWithFlags } from "../../../ffi/sockets/socket.ts";
import { descriptorTest } from "./support/descriptors.ts";
import { bytes, finish, reset, sendAll, tcpPair } from "./support/tcp.ts";

descriptorTest("EpollEvents reads bits, key and tag of each event, whole 32 bits", () => {
  const epoll = openEpoll();
  const events = new EpollEvents(8);
  const fds = [1, 2, 3].map(() => openEventFd());
  const expected = new Map<number, number>();
  fds.forEach((fd, i) => {
    const [key, tag] = [0xfffffff0 + i, 0x80000001 + i];
    assert.equal(addToEpoll(epoll, fd, EPOLLIN, key, tag), 0);
    assert.equal(signalEventFd(fd), 8);
    expected.set(key, tag);
  });
  assert.equal(events.wait(epoll, 0), 3);
  for (let i = 0; i < 3; i++) {
    assert.equal(events.bits(i), EPOLLIN);
    assert.equal(events.tag(i), expected.get(events.key(i)));
    expected.delete(events.key(i));
  }
  assert.equal(expected.size, 0);
  for (const fd of [...fds, epoll]) closeFd(fd);
});

descriptorTest("EpollEvents.wait() takes no more than its capacity, and waits no longer than told", () => {
  const epoll = openEpoll();
  const fds = [1, 2, 3].map(() => openEventFd());
  for (const fd of fds) {
    addToEpoll(epoll, fd, EPOLLIN, 0, 0);
    signalEventFd(fd);
  }
  assert.equal(new EpollEvents(2).wait(epoll, 0), 2);
  for (const fd of fds) drainEventFd(fd);
  const start = performance.now();
  assert.equal(new EpollEvents(2).wait(epoll, 30), 0);
  const elapsed = performance.now() - start;
  assert.ok(elapsed >= 28 && elapsed < 500, `${elapsed} ms`);
  for (const fd of [...fds, epoll]) closeFd(fd);
});

descriptorTest("an edge comes once, and again after changeInEpoll(); none after removeFromEpoll()", () => {
  const epoll = openEpoll();
  const events = new EpollEvents(4);
  const fd = openEventFd();
  addToEpoll(epoll, fd, EPOLLIN | EPOLLET, 1, 1);
  signalEventFd(fd);
  assert.equal(events.wait(epoll, 0), 1);
  assert.equal(events.wait(epoll, 0), 0);
  assert.equal(changeInEpoll(epoll, fd, EPOLLIN | EPOLLET, 2, 1), 0);
  assert.equal(events.wait(epoll, 0), 1);
  assert.equal(events.key(0), 2);
  assert.equal(removeFromEpoll(epoll, fd), 0);
  signalEventFd(fd);
  assert.equal(events.wait(epoll, 0), 0);
  assert.equal(removeFromEpoll(epoll, fd), -2, "ENOENT");
  closeFd(fd);
  closeFd(epoll);
});

descriptorTest("drainEventFd() quiets an eventfd, however often it was signalled", () => {
  const fd = openEventFd();
  assert.equal(drainEventFd(fd), -EAGAIN);
  signalEventFd(fd);
  signalEventFd(fd);
  assert.equal(drainEventFd(fd), 8);
  assert.equal(drainEventFd(fd), -EAGAIN);
  closeFd(fd);
});

descriptorTest("the bits of a TCP socket are those that the sessions rely on", () => {
  const MASK = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  const cases: [(peer: number) => void, number][] = [
    [(peer) => sendAll(peer, "data"), EPOLLIN | EPOLLOUT],
    [(peer) => finish(peer), EPOLLIN | EPOLLOUT | EPOLLRDHUP],
    [(peer) => assert.equal(sendWithFlags(peer, bytes("!"), MSG_OOB), 1), EPOLLPRI | EPOLLOUT],
    [(peer) => reset(peer), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP | EPOLLERR],
  ];
  for (const [act, expected] of cases) {
    const epoll = openEpoll();
    const events = new EpollEvents(4);
    const [peer, fd] = tcpPair();
    act(peer);
    // Added after the fact: what was there before makes the first edge.
    assert.equal(addToEpoll(epoll, fd, MASK, 7, 1), 0);
    assert.equal(events.wait(epoll, 1000), 1);
    assert.equal(events.bits(0) & ~(expected & EPOLLPRI ? EPOLLIN : 0), expected);
    if ((expected & EPOLLERR) === 0) closeFd(peer);
    closeFd(fd);
    closeFd(epoll);
  }
});
