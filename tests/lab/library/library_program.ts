/**
 * A transparent proxy of the simplest kind, made with mod.ts alone: one connection, by polling. For
 * library_test.ts.
 */
import {
  closeFd,
  dialTransparent,
  formatEndpoint,
  parseEndpoint,
  receive,
  send,
  TransparentListener,
} from "../../../mod.ts";
import { print } from "../../laboratory/machine/print.ts";

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Passes on what one side has sent, until it ends. */
async function pass(from: number, to: number): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (;;) {
    const received = receive(from, buffer, buffer.length);
    if (received === 0) return;
    if (received < 0) {
      await pause();
      continue;
    }
    const bytes = buffer.slice(0, received);
    while (send(to, bytes, bytes.length) < 0) await pause();
  }
}

using listener = new TransparentListener(parseEndpoint("127.0.0.1:50080")!);
let connection = listener.accept();
while (connection === undefined) {
  await pause();
  connection = listener.accept();
}
print(`${formatEndpoint(connection.client)} wants ${formatEndpoint(connection.destination)}`);
const upstream = dialTransparent(connection.destination, connection.client);
await Promise.race([pass(connection.fd, upstream), pass(upstream, connection.fd)]);
closeFd(connection.fd);
closeFd(upstream);
