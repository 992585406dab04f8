/**
 * Writes down what comes to an NFLOG group until nothing has come for a second: a datagram a line, in
 * hexadecimal. `questions.ts GROUP`
 * @module
 */
import { POLLIN } from "../../../ffi/consts.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { receive } from "../../../ffi/sockets/socket.ts";
import { hexBytes } from "../../../src/net/hex.ts";
import { openLogGroup } from "../../../src/netlink/log.ts";

const SILENCE_MS = 1500;

const fd = openLogGroup(Number(Deno.args[0]));
const set = new PollSet(1);
const buffer = new Uint8Array(1 << 17);
await Deno.stderr.write(new TextEncoder().encode("ready\n"));
for (;;) {
  set.set(0, fd, POLLIN);
  if (set.wait(SILENCE_MS) <= 0) break;
  const received = receive(fd, buffer, buffer.length);
  if (received > 0) {
    await Deno.stdout.write(new TextEncoder().encode(`${hexBytes(buffer.subarray(0, received))}\n`));
  }
}
