/**
 * Probe of a UDP port: no host says that it takes datagrams, but hosts say that they do not.
 * @module
 */
import { EAGAIN, EINTR, POLLIN } from "../../../ffi/consts.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { receive, send } from "../../../ffi/sockets/socket.ts";

/** The answer may be lost, and hosts limit how many they give: it is asked again after this time. */
const INTERVAL_MS = 1000;
const PROBES = 3;

const nothing = new Uint8Array(1);

/**
 * Sends empty datagrams through a connected socket. 0: there was an answer, or nothing said no within
 * `waitMs` milliseconds (-1: 3 s); or the -errno that came back.
 */
export function probeDatagrams(fd: number, waitMs: number): number {
  const set = new PollSet(1);
  set.set(0, fd, POLLIN);
  const wait = waitMs < 0 ? PROBES * INTERVAL_MS : waitMs;
  const end = performance.now() + wait;
  for (let left = wait; left > 0; left = end - performance.now()) {
    const sent = send(fd, nothing, 0);
    if (sent < 0 && sent !== -EAGAIN) return sent;
    const ready = set.wait(Math.min(INTERVAL_MS, Math.ceil(left)));
    if (ready < 0 && ready !== -EINTR) return ready;
    if (ready <= 0) continue;
    const received = receive(fd, nothing, nothing.length);
    if (received !== -EAGAIN) return Math.min(received, 0);
  }
  return 0;
}
