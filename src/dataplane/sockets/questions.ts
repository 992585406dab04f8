/**
 * Opens the sockets by which workers are asked about first packets, before any worker starts.
 * @module
 */
import { AF_INET, AF_INET6, EAFNOSUPPORT, SOCK_RAW } from "../../../ffi/consts.ts";
import { closeFd, openSocket } from "../../../ffi/sockets/socket.ts";
import { CLIENT_PRIORITY, questionGroup, watchDatagramGroup, watchGroup } from "../../constants.ts";
import { check, OperationError } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import { openLogGroup } from "../../netlink/log.ts";
import { adoptQueue, lacksQueues, openQueue } from "../../netlink/queue.ts";
import type { AskingSockets, QueueSocket } from "../orders.ts";
import { makeTransparent, sign } from "./transparent.ts";

/** Whole IP packets are given to such a socket, and it receives none. */
const IPPROTO_RAW = 255;

/** Facts that the sockets follow from. */
export interface QuestionSocketOptions {
  readonly port: number;
  readonly workers: number;
  readonly families: readonly Family[];
  /** Marks.router: by it packets that are sent go to the loopback interface. */
  readonly mark: number;
}

/**
 * Opens the sockets of each worker. Throws OperationError, with nothing left open; it tells if another
 * program has a group.
 */
export function openQuestionSockets(options: QuestionSocketOptions): AskingSockets[] {
  const opened: number[] = [];
  const keep = (fd: number) => {
    opened.push(fd);
    return fd;
  };
  const { families, mark } = options;
  const open = (family: Family, prepare: Prepare) =>
    families.includes(family) ? keep(rawSocket(family, prepare)) : -1;
  const openBoth = (prepare: Prepare) => ({ ipv4: open("ipv4", prepare), ipv6: open("ipv6", prepare) });
  const signed = (mark: number): Prepare => (fd) => sign(fd, { mark, priority: CLIENT_PRIORITY });
  try {
    return Array.from({ length: options.workers }, (_, worker) => ({
      log: keep(openLogGroup(questionGroup(options.port, worker))),
      raw: openBoth(signed(mark)),
      refusals: open("ipv4", signed(0)),
      watch: {
        log: keep(openLogGroup(watchGroup(options.port, worker))),
        queue: openWatchQueue(watchGroup(options.port, worker), keep),
        // What is sent through them has clients' addresses, and its own signs.
        raw: openBoth(makeTransparent),
        datagrams: keep(openLogGroup(watchDatagramGroup(options.port, worker))),
      },
    }));
  } catch (error) {
    for (const fd of opened) closeFd(fd);
    throw error;
  }
}

/** Rules use it where the kernel has all that it takes, and the NFLOG group else. */
function openWatchQueue(number: number, keep: (fd: number) => number): QueueSocket | null {
  try {
    const { fd, channel } = openQueue(number);
    return { number, fd: keep(fd), channel: channel === undefined ? -1 : keep(channel.fd) };
  } catch (error) {
    if (error instanceof OperationError && lacksQueues(error.errno)) return null;
    throw error;
  }
}

/** Goes on with the sockets that another process has given. Throws an OperationError. */
export function adoptAsking(asking: AskingSockets): AskingSockets {
  const { queue } = asking.watch;
  if (queue === null) return asking;
  const { channel } = adoptQueue(queue.fd, queue.number);
  return { ...asking, watch: { ...asking.watch, queue: { ...queue, channel: channel?.fd ?? -1 } } };
}

/**
 * Closes those that only one process may have, of a worker that has left them to another: if that one ends,
 * the next one can have them. Returns the others.
 */
export function closeGroups(sockets: AskingSockets): AskingSockets {
  const { log, watch } = sockets;
  closeAll(log, watch.log, watch.datagrams, watch.queue?.fd ?? -1, watch.queue?.channel ?? -1);
  return { ...sockets, log: -1, watch: { ...watch, log: -1, datagrams: -1, queue: null } };
}

/** Closes the sockets of a worker that has ended for good. */
export function closeAsking(sockets: AskingSockets): void {
  const { raw, refusals, watch } = closeGroups(sockets);
  closeAll(raw.ipv4, raw.ipv6, refusals, watch.raw.ipv4, watch.raw.ipv6);
}

/** -1: there is none. */
function closeAll(...fds: readonly number[]): void {
  for (const fd of fds) if (fd >= 0) closeFd(fd);
}

/** Makes a socket of a family what it shall be. 0 or -errno. */
type Prepare = (fd: number, family: number) => number;

function rawSocket(family: Family, prepare: Prepare): number {
  const object = `the raw ${family === "ipv6" ? "IPv6" : "IPv4"} socket for first packets`;
  const domain = family === "ipv6" ? AF_INET6 : AF_INET;
  const fd = openSocket(domain, SOCK_RAW, { protocol: IPPROTO_RAW });
  if (fd === -EAFNOSUPPORT) return -1;
  check(fd, "open", object, "It needs root, or CAP_NET_RAW and CAP_NET_ADMIN");
  const returned = prepare(fd, domain);
  if (returned >= 0) return fd;
  closeFd(fd);
  return check(returned, "open", object);
}
