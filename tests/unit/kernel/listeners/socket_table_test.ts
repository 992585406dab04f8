import assert from "node:assert/strict";
import { findSockets } from "../../../../src/kernel/listeners/socket_table.ts";

const HEADER =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const row = (local: string, state: string, inode: number) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100\n`;
const ANY6 = "0".repeat(32);
const LOOPBACK6 = `${"0".repeat(24)}01000000`;

Deno.test("findSockets() finds who holds the port, also by all addresses", () => {
  const files: Readonly<Record<string, string>> = {
    "/proc/thread-self/net/tcp": HEADER + row("0100007F:C3A0", "0A", 11) + row("00000000:C3A0", "0A", 12) +
      row("0100007F:C3A0", "01", 13) + row("0100007F:C3A1", "0A", 14) + row("01014D0A:C3A0", "0A", 15),
    "/proc/thread-self/net/tcp6": HEADER + row(`${ANY6}:C3A0`, "0A", 21) + row(`${LOOPBACK6}:C3A0`, "0A", 22),
    "/proc/thread-self/net/udp": HEADER + row("00000000:C3A0", "07", 31),
  };
  const readTextFile = (path: string) => {
    if (!Object.hasOwn(files, path)) throw new Deno.errors.NotFound(path);
    return files[path];
  };
  const find = (protocol: "tcp" | "udp", family: "ipv4" | "ipv6", anyAddress = true) =>
    findSockets({ protocol, family, port: 50080, anyAddress }, readTextFile);
  assert.deepEqual(find("tcp", "ipv4"), ["11", "12", "21"]);
  assert.deepEqual(find("tcp", "ipv6"), ["21", "22"]);
  assert.deepEqual(find("udp", "ipv4"), ["31"]);
  assert.deepEqual(find("udp", "ipv6"), []);
  assert.deepEqual(find("tcp", "ipv4", false), ["11"]);
  assert.deepEqual(find("tcp", "ipv6", false), ["22"]);
});
