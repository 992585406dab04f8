import assert from "node:assert/strict";
import { isListenedAt } from "../../../../src/daemon/control/listening.ts";

/** Recorded on Linux 6.18. */
const TABLE = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01  5912 /run/tproxy/control.sock
0000000000000000: 00000003 00000000 00000000 0001 03  6120 /run/tproxy/asked.sock
0000000000000000: 00000002 00000000 00010000 0005 01 1234567 /run/with space.sock
0000000000000000: 00000003 00000000 00000000 0001 03  5913
0000000000000000: 00000002 00000000 00010000 0001 01  5914 @/run/abstract.sock
`;

Deno.test("isListenedAt() knows who listens from whoever has connected, and from who is gone", () => {
  assert.equal(isListenedAt(TABLE, "/run/tproxy/control.sock"), true);
  assert.equal(isListenedAt(TABLE, "/run/with space.sock"), true);
  assert.equal(isListenedAt(TABLE, "/run/tproxy/asked.sock"), false);
  assert.equal(isListenedAt(TABLE, "/run/tproxy/gone.sock"), false);
  assert.equal(isListenedAt(TABLE, "/run/abstract.sock"), false);
  assert.equal(isListenedAt("", "/run/tproxy/control.sock"), false);
});

Deno.test("isListenedAt() reads this kernel's own table", () => {
  const path = `${Deno.makeTempDirSync({ prefix: "tproxy-listening-" })}/sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const read = () => isListenedAt(Deno.readTextFileSync("/proc/net/unix"), path);
  assert.equal(read(), true);
  listener.close();
  assert.equal(read(), false);
  Deno.removeSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
});
