/**
 * Connections whose SYN has an option that no proxy can carry are forwarded, and counted: TCP MD5 signatures,
 * TCP-AO, and Multipath TCP where the config says so.
 */
import assert from "node:assert/strict";
import { Caller } from "../../laboratory/field/caller.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { setTcpMd5 } from "../../laboratory/network/tcp_md5.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { type Proxy, startProxy, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { endProxy } from "../../laboratory/proxy/router_proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const FAMILIES = [4, 6] as const;
const PORT = 7000;
/** IPPROTO_MPTCP; SOL_MPTCP and MPTCP_INFO, which a connection on one path alone does not know. */
const MULTIPATH = `
import socket, sys
def paths(s):
    try:
        s.getsockopt(284, 1, 64)
        return "multipath"
    except OSError:
        return "one path"
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM, 262)
`;
const SERVER = `${MULTIPATH}
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], ${PORT}))
s.listen()
while True:
    c, _ = s.accept()
    c.recv(1)
    c.sendall(paths(c).encode())
    c.close()
`;
const CLIENT = `${MULTIPATH}
s.settimeout(5)
s.connect((sys.argv[1], ${PORT}))
s.sendall(b"?")
print(paths(s) + ", " + s.recv(100).decode())
`;
/** A SYN with TCP-AO: option 29, 16 bytes; its signature is right for nobody. */
const SIGNED_SYN = `
import socket, struct, sys
def total(data):
    n = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    n = (n >> 16) + (n & 0xffff)
    return ~(n + (n >> 16)) & 0xffff
source, destination = [socket.inet_aton(a) for a in sys.argv[1:3]]
options = bytes([29, 16, 1, 1]) + bytes(12)
head = lambda check: struct.pack("!HHIIBBHHH", 40000, 179, 7, 0, 9 << 4, 2, 65535, check, 0) + options
pseudo = source + destination + struct.pack("!BBH", 0, 6, len(head(0)))
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
s.bind((sys.argv[1], 0))
s.sendto(head(total(pseudo + head(0))), (sys.argv[2], 0))
`;

async function startServers(lab: Lab): Promise<void> {
  for (const family of FAMILIES) {
    await lab.server.start(["python3", "-c", SERVER, ADDRESSES[family].server], { listens: PORT });
  }
}

async function callAll(lab: Lab): Promise<string[]> {
  const said = [];
  for (const family of FAMILIES) {
    const { stdout } = await lab.client.run(["python3", "-c", CLIENT, ADDRESSES[family].server]);
    said.push(stdout.trim());
  }
  return said;
}

/** The counts as `status -v` and the metrics tell them. */
async function counts(lab: Lab, { configPath }: Proxy): Promise<Record<string, number>> {
  const { stdout: status } = await tproxy(lab, ["status", "-v", "-c", configPath]);
  const { stdout: metrics } = await tproxy(lab, ["metrics", "-c", configPath]);
  const told = /no proxy carries: (\d+) tcp-md5, (\d+) tcp-ao, (\d+) mptcp/.exec(status);
  assert.ok(told !== null, status);
  const [md5, ao, mptcp] = told.slice(1).map(Number);
  for (const [option, count] of Object.entries({ tcp_md5: md5, tcp_ao: ao, mptcp })) {
    assert.match(
      metrics,
      new RegExp(`^tproxy_connections_unrelayed_total\\{option="${option}"\\} ${count}$`, "m"),
    );
  }
  return { md5, ao, mptcp };
}

labTest("Multipath TCP is forwarded where the config says so, and counted; else it has one path", {
  forwarding: true,
  programs: ["python3"],
}, async (lab) => {
  await startServers(lab);
  assert.deepEqual(await callAll(lab), ["multipath, multipath", "multipath, multipath"], "without a proxy");
  const proxy = await startProxy(lab);
  assert.deepEqual(await callAll(lab), ["one path, one path", "one path, one path"]);
  assert.equal((await counts(lab, proxy)).mptcp, 0);

  writeConfig(lab, { intercept: { mptcp: "forward" } });
  await tproxy(lab, ["reload", "-c", proxy.configPath]);
  assert.deepEqual(await callAll(lab), ["multipath, multipath", "multipath, multipath"]);
  assert.equal((await counts(lab, proxy)).mptcp, 2);

  // What was counted by rules that are gone stays counted.
  writeConfig(lab);
  await tproxy(lab, ["reload", "-c", proxy.configPath]);
  assert.deepEqual(await callAll(lab), ["one path, one path", "one path, one path"]);
  assert.equal((await counts(lab, proxy)).mptcp, 2);
  assert.equal((await endProxy(proxy)).accepted, 4);
});

labTest("SYNs that are signed, by TCP MD5 or TCP-AO, reach the server as they are, and are counted", {
  forwarding: true,
  programs: ["python3", "nft"],
}, async (lab) => {
  await lab.server.nft(`table ip seen {
    chain input {
      type filter hook input priority 0; policy accept;
      tcp dport 179 tcp option 19 exists counter drop
      tcp dport 179 tcp option 29 exists counter drop
    }
  }`);
  const proxy = await startProxy(lab);
  const { client, server } = ADDRESSES[4];
  await lab.client.run(["python3", "-c", SIGNED_SYN, client, server]);
  const caller = new Caller(lab.client, at(server, 179), {
    prepare: (fd) => setTcpMd5(fd, server, "secret"),
  });
  await caller.connected(300);
  caller.close(); // it would send its SYN again
  const { stdout } = await lab.server.run(["nft", "list", "table", "ip", "seen"]);
  const [md5, ao] = [...stdout.matchAll(/counter packets (\d+)/g)].map(([, count]) => Number(count));
  assert.ok(md5 > 0);
  assert.equal(ao, 1);
  assert.deepEqual(await counts(lab, proxy), { md5, ao, mptcp: 0 });
  assert.equal((await endProxy(proxy)).accepted, 0);
});
