import assert from "node:assert/strict";
import type { Protocol } from "../../../../src/config/types.ts";
import { signLength, signSize } from "../../../../src/kernel/liveness/sign_size.ts";

function config(listenerPort: number, protocols: Protocol[]) {
  return { listenerPort, protocols };
}

Deno.test("signSize() tells ports and protocols apart that people choose", () => {
  const ports = [50080, 50081, 50090, 50180, 51080, 60080, 8080, 8081, 1080, 3128, 3129, 8888, 12345];
  const sizes = ports.flatMap((port) => [
    signSize(config(port, ["tcp"])),
    signSize(config(port, ["udp"])),
    signSize(config(port, ["udp", "tcp"])),
  ]);
  assert.equal(new Set(sizes).size, sizes.length);
  assert.ok(sizes.every((size) => size >= 0 && size < 1100));
});

Deno.test("signLength() is that of the packet", () => {
  const some = config(50080, ["tcp"]);
  assert.equal(signLength(some, "ipv4"), signSize(some) + 28);
  assert.equal(signLength(some, "ipv6"), signSize(some) + 48);
  assert.equal(signSize(config(1, ["udp", "tcp"])), signSize(config(1, ["tcp", "udp"])));
});
