/**
 * Asks a server of DNS a question, from a socket of ours.
 * @module
 */
import {
  EAGAIN,
  ECONNRESET,
  EINPROGRESS,
  POLLIN,
  POLLOUT,
  SO_MARK,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../../../ffi/consts.ts";
import { closeFd, connectSocket, openNonBlocking, receive, send } from "../../../../ffi/sockets/socket.ts";
import { setInt, takeSocketError } from "../../../../ffi/sockets/sockopt.ts";
import type { Sockaddr } from "../../../dataplane/upstream/upstream.ts";
import { type Pauses, waitForSocket } from "../socket_wait.ts";
import { decodeAnswer, type DnsAnswer, type DnsQuestion, encodeQuestion } from "./message.ts";

/** The way of the questions. */
export interface ExchangeOptions {
  /** SO_MARK, 0 for none. */
  readonly mark: number;
  readonly pauses: Pauses;
  readonly timeoutMs: number;
}

const MOST_BYTES = 65_535;
const LENGTH_BYTES = 2;

/** Asks, over UDP first. The answer, or the -errno for which there is none. */
export async function exchange(
  server: Sockaddr,
  question: DnsQuestion,
  options: ExchangeOptions,
): Promise<DnsAnswer | number> {
  const message = encodeQuestion(question);
  if (message === null) return -ECONNRESET;
  const until = options.pauses.now() + options.timeoutMs;
  const answer = await withSocket(server, SOCK_DGRAM, options, async (fd) => {
    const sent = send(fd, message, message.length);
    return sent < 0 ? sent : await hearDatagram(fd, question, until, options.pauses);
  });
  if (typeof answer === "number" || answer.kind !== "truncated") return answer;
  return await withSocket(
    server,
    SOCK_STREAM,
    options,
    (fd) => askStream(fd, message, question, until, options),
  );
}

async function withSocket(
  server: Sockaddr,
  type: number,
  { mark }: ExchangeOptions,
  talk: (fd: number) => Promise<DnsAnswer | number>,
): Promise<DnsAnswer | number> {
  const fd = openNonBlocking(server[0], type);
  if (fd < 0) return fd;
  try {
    // Connected: the kernel takes datagrams of that server alone, and gives a port by chance.
    const marked = mark === 0 ? 0 : setInt(fd, SOL_SOCKET, SO_MARK, mark);
    const returned = marked < 0 ? marked : connectSocket(fd, server);
    return returned < 0 && returned !== -EINPROGRESS ? returned : await talk(fd);
  } finally {
    closeFd(fd);
  }
}

/** Waits for the answer to the question. Others are passed over: somebody may guess. */
async function hearDatagram(
  fd: number,
  question: DnsQuestion,
  until: number,
  pauses: Pauses,
): Promise<DnsAnswer | number> {
  const bytes = new Uint8Array(MOST_BYTES);
  for (;;) {
    const waited = await waitForSocket(fd, POLLIN, until, pauses);
    if (waited < 0) return waited;
    const length = receive(fd, bytes, bytes.length);
    if (length < 0 && length !== -EAGAIN) return length;
    const answer = length < 0 ? null : decodeAnswer(bytes.subarray(0, length), question);
    if (answer !== null) return answer;
  }
}

async function askStream(
  fd: number,
  message: Uint8Array<ArrayBuffer>,
  question: DnsQuestion,
  until: number,
  { pauses }: ExchangeOptions,
): Promise<DnsAnswer | number> {
  const connected = await waitForSocket(fd, POLLOUT, until, pauses);
  const error = connected < 0 ? connected : -takeSocketError(fd);
  if (error < 0) return error;
  const framed = new Uint8Array(LENGTH_BYTES + message.length);
  new DataView(framed.buffer).setUint16(0, message.length);
  framed.set(message, LENGTH_BYTES);
  // A new connection has room for so little.
  const sent = send(fd, framed, framed.length);
  if (sent < framed.length) return sent < 0 ? sent : -ECONNRESET;
  const bytes = new Uint8Array(LENGTH_BYTES + MOST_BYTES);
  for (let have = 0;;) {
    const waited = await waitForSocket(fd, POLLIN, until, pauses);
    if (waited < 0) return waited;
    const rest = bytes.subarray(have);
    const length = receive(fd, rest, rest.length);
    if (length === -EAGAIN) continue;
    if (length <= 0) return length < 0 ? length : -ECONNRESET;
    have += length;
    const wanted = have < LENGTH_BYTES ? Infinity : LENGTH_BYTES + new DataView(bytes.buffer).getUint16(0);
    if (have < wanted) continue;
    const answer = decodeAnswer(bytes.subarray(LENGTH_BYTES, wanted), question);
    return answer === null || answer.kind === "truncated" ? -ECONNRESET : answer;
  }
}
