import assert from "node:assert/strict";
import { parseConfig } from "../../../../src/config/load.ts";
import { describeMissing, findDeliveries } from "../../../../src/kernel/listeners/delivery.ts";

const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const REST = "00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0";

/** A machine with these sockets, as /proc/net writes them: `tcp6 00…:0C39 0A`. */
function machine(...sockets: string[]): (path: string) => string {
  return (path) => {
    const file = path.replace("/proc/thread-self/net/", "");
    const rows = sockets.map((socket) => socket.split(" ")).filter(([of]) => of === file)
      .map(([, local, state], index) => `   ${index}: ${local} ${"0".repeat(8)}:0000 ${state} ${REST}\n`);
    return HEAD + rows.join("");
  };
}

function missing(rule: string, ...sockets: string[]): string[] {
  const config = parseConfig(`rules: [{ name: r, action: deliver, deliver-port: 3129, ${rule} }]`, "f");
  const options = { families: ["ipv4", "ipv6"], readTextFile: machine(...sockets) } as const;
  return findDeliveries(config, options).flatMap((delivery) =>
    delivery.missing.map(({ protocol, family }) => `${protocol} ${family}`)
  );
}

const ANY6 = "0".repeat(32);

Deno.test("findDeliveries() tells what a rule delivers and nobody takes", () => {
  const all = ["tcp ipv4", "tcp ipv6", "udp ipv4", "udp ipv6"];
  assert.deepEqual(missing("ports: [80]"), all);
  assert.deepEqual(missing("protocol: udp"), all.slice(2));
  assert.deepEqual(missing("protocol: tcp, to: [192.0.2.0/24]"), ["tcp ipv4"]);
  assert.deepEqual(missing("protocol: tcp, to: ['::/0'], from: [192.0.2.1, '2001:db8::1']"), ["tcp ipv6"]);
});

Deno.test("findDeliveries() takes a listener on the loopback address or on all, also one of both families", () => {
  const tcp = (...sockets: string[]) => missing("protocol: tcp", ...sockets);
  assert.deepEqual(tcp("tcp 0100007F:0C39 0A"), ["tcp ipv6"]);
  assert.deepEqual(tcp("tcp 00000000:0C39 0A"), ["tcp ipv6"]);
  assert.deepEqual(tcp(`tcp6 ${ANY6.slice(0, -8)}01000000:0C39 0A`), ["tcp ipv4"]);
  assert.deepEqual(tcp(`tcp6 ${ANY6}:0C39 0A`), []);
  // A LAN address, another port, a connection, another protocol.
  const none = ["tcp ipv4", "tcp ipv6"];
  assert.deepEqual(tcp("tcp 0101A8C0:0C39 0A", "tcp 00000000:0C38 0A"), none);
  assert.deepEqual(tcp("tcp 00000000:0C39 01", "udp 00000000:0C39 07"), none);
  assert.deepEqual(missing("protocol: udp", "udp 00000000:0C39 07", `udp6 ${ANY6}:0C39 07`), []);
});

Deno.test("describeMissing() names port, flows and rule", () => {
  const [delivery] = findDeliveries(
    parseConfig("rules: [{ name: web cache, protocol: tcp, action: deliver, deliver-port: 3129 }]", "f"),
    { families: ["ipv4"], readTextFile: machine() },
  );
  assert.equal(
    describeMissing(delivery),
    "Nobody listens on port 3129 for tcp over ipv4, where rules[0] (web cache) delivers",
  );
  assert.equal(describeMissing({ ...delivery, missing: [] }), undefined);
});
