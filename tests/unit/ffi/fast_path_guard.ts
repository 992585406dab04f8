/**
 * Run by fast_path_test.ts in a process of its own, with Deno's tracing of fast calls on. Calls each wrapper
 * of the hot path until V8 has optimized its caller, and prints those whose call did not go by the fast path.
 */
import {
  AF_INET,
  AF_INET6,
  EPOLLET,
  EPOLLIN,
  SHUT_WR,
  SOCK_STREAM,
  SOL_TCP,
  TCP_NODELAY,
} from "../../../ffi/consts.ts";
import { addToEpoll, EpollEvents, openEpoll, removeFromEpoll } from "../../../ffi/epoll.ts";
import { openPipe, spliceBytes } from "../../../ffi/pipe.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { SendBatch } from "../../../ffi/sockets/send_batch.ts";
import { makeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import {
  acceptSocket,
  bindSocket,
  closeFd,
  connectSocket,
  localAddress,
  openNonBlocking,
  receive,
  send,
  shutdownSocket,
} from "../../../ffi/sockets/socket.ts";
import { resetOnClose, setInt, takeSocketError, unacknowledgedBytes } from "../../../ffi/sockets/sockopt.ts";
import { readStream, writeStream } from "../../../ffi/sockets/stream.ts";

interface Tracing {
  getTurbocallTarget(): string | undefined;
}
// Not typed by Deno: `Deno[Deno.internal]`, what its own tests use.
const internals = Deno as unknown as Record<symbol, Tracing> & { internal: symbol };
const tracing = internals[internals.internal];

const buffer = new Uint8Array(16384);
const address = makeSockaddr();
address[0] = AF_INET;
const ends = new Int32Array(2);
const epoll = openEpoll();
const events = new EpollEvents(16);
const set = new PollSet(1);
const socket = openNonBlocking(AF_INET, SOCK_STREAM);

const received = new ReceiveBatch(4);
const sent = new SendBatch(4, 4);

/** The C function that the last call of each must have been. */
const CALLS: Record<string, () => number> = {
  recv: () => receive(socket, buffer, 16384),
  send: () => send(socket, buffer, 1),
  recvmmsg: () => received.receive(socket, 0),
  sendmmsg: () => {
    sent.clear();
    sent.begin(received.words, received.name(0));
    return sent.send(socket, 0);
  },
  splice: () => spliceBytes(socket, socket, 65536, 3),
  epoll_wait: () => events.wait(epoll, 0),
  epoll_ctl: () =>
    addToEpoll(epoll, socket, EPOLLIN | EPOLLET, 4, 0xfffffff0) + removeFromEpoll(epoll, socket),
  accept4: () => acceptSocket(socket, address),
  // It fails: a call that leaves no descriptor behind.
  socket: () => openNonBlocking(AF_INET6, 77),
  bind: () => bindSocket(-1, address),
  connect: () => connectSocket(-1, address),
  getsockname: () => localAddress(socket, address),
  setsockopt: () => setInt(socket, SOL_TCP, TCP_NODELAY, 1) + resetOnClose(socket),
  getsockopt: () => takeSocketError(socket),
  ioctl: () => unacknowledgedBytes(socket),
  shutdown: () => shutdownSocket(socket, SHUT_WR),
  poll: () => set.wait(0),
  read: () => readStream(-1, buffer),
  write: () => writeStream(-1, buffer),
  pipe2: () => openPipe(ends),
  close: () => closeFd(-1),
};

// V8 optimizes on a thread of its own: it is given time, not a number of calls; plenty, for emulators and
// busy machines.
const PATIENCE_MS = 20_000;
const slow: string[] = [];
for (const [name, call] of Object.entries(CALLS)) {
  let fast = false;
  const end = performance.now() + PATIENCE_MS;
  while (!fast && performance.now() < end) {
    call();
    fast = tracing.getTurbocallTarget() === name;
    if (name === "pipe2") {
      closeFd(ends[0]);
      closeFd(ends[1]);
    }
  }
  if (!fast) slow.push(name);
}
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify({ checked: Object.keys(CALLS), slow })));
