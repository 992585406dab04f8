import { EBADF, ENOENT, errnoNumber } from "../../../src/net/errno.ts";
import assert from "node:assert/strict";
import { AF_INET, SOCK_STREAM } from "../../../ffi/consts.ts";
import { closeFd, listenSocket, openSocket, receive } from "../../../ffi/sockets/socket.ts";
import { openReadOnly } from "../../../ffi/process.ts";

const ENOTCONN = errnoNumber("ENOTCONN");
const ENOTSOCK = errnoNumber("ENOTSOCK");

Deno.test("wrappers return the errno of their own call", () => {
  const buffer = new Uint8Array(8);
  assert.equal(closeFd(-1), -EBADF);
  assert.equal(openReadOnly("/no/such/file"), -ENOENT);
  assert.equal(receive(0x7ffffff, buffer, 8), -EBADF);
  const file = openReadOnly("/dev/null");
  assert.ok(file >= 0);
  assert.equal(receive(file, buffer, 8), -ENOTSOCK);
  assert.equal(closeFd(file), 0);
});

Deno.test("wrappers return the right errno under pressure on the garbage collector", () => {
  const socket = openSocket(AF_INET, SOCK_STREAM);
  const buffer = new Uint8Array(64);
  let garbage: unknown[] = [];
  let wrong = 0;
  for (let i = 0; i < 200_000; i++) {
    // Garbage of its own between the calls, in sizes that make both kinds of collections.
    garbage.push({ i }, new Array(10), i % 100 === 0 ? new Uint8Array(10_000) : null);
    if (garbage.length > 5000) garbage = [];
    if (closeFd(-1) !== -EBADF) wrong++;
    if (receive(socket, buffer, 64) !== -ENOTCONN) wrong++;
  }
  assert.equal(wrong, 0);
  assert.equal(closeFd(socket), 0);
  assert.equal(listenSocket(socket, 1), -EBADF);
});
