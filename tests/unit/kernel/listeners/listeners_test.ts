import assert from "node:assert/strict";
import { findListeners } from "../../../../src/kernel/listeners/listeners.ts";

const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

/** Files as the kernel writes them; from a machine with socat listening. */
const FILES: Readonly<Record<string, string>> = {
  "/proc/thread-self/net/tcp": HEAD +
    "   0: 0100007F:C3A0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n",
  "/proc/thread-self/net/tcp6": HEAD +
    "   0: 00000000000000000000000000000000:C3A0 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n",
  "/proc/thread-self/net/udp": HEAD +
    "  52: 0100007F:C3A0 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 0\n",
};

function readTextFile(path: string): string {
  const text = FILES[path];
  if (text === undefined) throw new Deno.errors.NotFound(path);
  return text;
}

Deno.test("findListeners() knows the proxy's listeners from wildcard ones, and lives without a file", () => {
  const listeners = findListeners({
    protocols: ["tcp", "udp"],
    families: ["ipv4", "ipv6"],
    port: 50080,
    readTextFile,
  });
  assert.deepEqual(listeners, [
    { protocol: "tcp", address: "127.0.0.1:50080", listening: true },
    { protocol: "tcp", address: "[::1]:50080", listening: false },
    { protocol: "udp", address: "127.0.0.1:50080", listening: true },
    { protocol: "udp", address: "[::1]:50080", listening: false },
  ]);
});

Deno.test("findListeners() takes no connection for a listener, and no other port", () => {
  const connected = (path: string) => readTextFile(path).replace(" 0A ", " 01 ");
  const question = { protocols: ["tcp"], families: ["ipv4"] } as const;
  const [listener] = findListeners({ ...question, port: 50080, readTextFile: connected });
  assert.equal(listener.listening, false);
  assert.equal(findListeners({ ...question, port: 80, readTextFile })[0].listening, false);
});
