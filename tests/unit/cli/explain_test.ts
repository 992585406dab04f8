import assert from "node:assert/strict";
import { run } from "./fake_env.ts";

const CONFIG = `
upstreams: { office: { type: socks5, address: "192.0.2.9:1080" } }
default: bypass
rules:
  - { name: home, action: bypass, to: [10.0.0.0/8] }
  - name: ads
    action: block
    domains: [other.example, .ads.example]
  - { name: work, action: proxy, upstream: office, ports: [8443], protocol: tcp }
`;

async function explained(...args: string[]) {
  const question = ["explain", "-c", "f", "--rules-only", "--from", "192.168.1.20", ...args];
  const { code, stdout, stderr } = await run(question, { files: { f: CONFIG } });
  assert.equal(stderr, "tproxy: config: f\n");
  const lines = stdout.split("\n").slice(0, -1);
  const end = lines.at(-1)!;
  // The end is in words, in JSON and the exit code.
  if (end !== "}") assert.equal(code, /^end: (it is refused|cannot be told)/.test(end) ? 3 : 0, end);
  return end === "}" ? lines : lines.slice(0, -1);
}

Deno.test("explain says whether a flow waits for its name, and what becomes of it", async () => {
  assert.deepEqual(await explained("--to", "198.51.100.1:443"), [
    "rules[0] (home): no, the destination is not in its networks",
    "rules[2] (work): no, the port is not among its ports",
    "rules[1] (ads): if the name is among its domains",
    "decides: default: bypass, where no name does",
    "kernel: forwards it, and watches for its name",
    "waits: yes, rules[1] (ads): it is forwarded at once, and what completes the name is held until that is read",
  ]);
  assert.deepEqual((await explained("--to", "198.51.100.1:8443")).slice(2), [
    "decides: rules[2] (work): proxy, where no name does",
    "kernel: gives it to the proxy",
    "waits: yes, rules[1] (ads): the proxy reads the name before it dials, for it may have to go elsewhere",
    "upstream: office; when down: block",
  ]);
  assert.deepEqual((await explained("--to", "10.1.1.1:443")).slice(-3), [
    "decides: rules[0] (home): bypass",
    "kernel: forwards it",
    "waits: no, no name decides on it",
  ]);
});

Deno.test("explain says that a flow waits for the name that its upstream is told", async () => {
  const f = `
upstreams:
  told: { type: socks5, address: "192.0.2.9:1", send: name, udp: true }
  web: { type: http-connect, address: "192.0.2.9:2", send: name }
  place: { type: socks5, address: "192.0.2.9:3", udp: true }
groups: { some: { members: [place, web], when-down: direct }, none: { members: [place] } }
rules:
  - { name: some, ports: [1], action: proxy, upstream: some }
  - { name: none, ports: [2], action: proxy, upstream: none }
  - { name: pass, ports: [3], action: direct }
  - { name: ads, ports: [4], domains: [ads.example], action: block }
default: proxy
default-upstream: told`;
  const ask = async (to: string, ...more: string[]) => {
    const question = ["explain", "-c", "f", "--rules-only", "--from", "10.0.0.1", "--to", to, ...more];
    return (await run(question, { files: { f } })).stdout.split("\n").find((line) =>
      line.startsWith("waits")
    );
  };
  const told = (name: string) =>
    `waits: yes, upstream ${name} is told names (send: name): the proxy reads the name before it dials`;
  assert.equal(await ask("93.184.216.34:443"), told("told"));
  assert.equal(await ask("93.184.216.34:443", "--domain", "a.example"), told("told"));
  assert.equal(await ask("93.184.216.34:1"), told("web"));
  const no = "waits: no, no name decides on it";
  assert.equal(await ask("93.184.216.34:2"), no);
  assert.equal(await ask("93.184.216.34:3"), no);
  assert.equal(await ask("93.184.216.34:443", "--protocol", "udp"), no, "of UDP addresses are told");
  assert.match((await ask("93.184.216.34:4"))!, /^waits: yes, rules\[3\] \(ads\): the proxy reads/);
  assert.equal(await ask("192.0.2.9:1"), "waits: no, nobody is led there through an upstream");
});

Deno.test("explain knows that nobody is led to an upstream through one", async () => {
  const f =
    `{"upstreams":{"away":{"type":"socks5","address":"192.0.2.9:1080"}},"default":"proxy","default-upstream":"away"}`;
  const ask = async (to: string) =>
    (await run(["explain", "-c", "f", "--rules-only", "--from", "10.0.0.1", "--to", to], { files: { f } }))
      .stdout;
  const itself = await ask("192.0.2.9:1080");
  assert.match(itself, /^kernel: forwards it$/m);
  assert.match(itself, /^end: the kernel forwards it \(this is upstream away itself\)$/m);
  assert.match(await ask("192.0.2.9:1081"), /^end: the proxy relays it through an upstream/m);
});

Deno.test("explain says where a server is dialled before its name is known", async () => {
  const rules = '[{"name":"ads","domains":[".ads.example"],"action":"block"}]';
  const f = `{"default":"direct","rules":${rules}}`;
  const { stdout } = await run([
    "explain",
    "-c",
    "f",
    "--rules-only",
    "--from",
    "10.0.0.1",
    "--to",
    "192.0.2.1:443",
  ], {
    files: { f },
  });
  assert.match(stdout, /waits: yes, rules\[0\] \(ads\): its server is dialled at once/);
});

Deno.test("explain names the entry that has the name", async () => {
  assert.deepEqual((await explained("--to", "198.51.100.1:443", "--domain", "X.ads.Example.")).slice(-3), [
    "decides: rules[1] (ads): block, by f:8:30",
    "kernel: forwards it, and watches for its name",
    "waits: yes, rules[1] (ads): it is forwarded at once, and what completes the name is held until that is read",
  ]);
  const [json] = [await explained("--to", "198.51.100.1:443", "--domain", "fine.example", "--json")];
  const { rule, action, why, entry, end, passes, path } = JSON.parse(json.join("\n"));
  assert.deepEqual([rule, action, why, entry], [null, "bypass", "default: bypass", null]);
  assert.deepEqual([end, passes, path], ["forwarded", true, null]);
});

Deno.test("explain refuses what is no flow", async () => {
  for (
    const [args, said] of [
      [["--from", "x", "--to", "192.0.2.1:1"], "it is no address"],
      [["--from", "192.0.2.1", "--to", "192.0.2.1"], "no address with a port"],
      [["--from", "192.0.2.1", "--to", "[::1]:80"], "another family"],
      [["--from", "192.0.2.1", "--to", "192.0.2.1:80", "--domain", "a..b"], "it is no name"],
      [["--from", "192.0.2.1", "--to", "192.0.2.1:80", "--mac", "02:00:5e:10:00"], "no hardware address"],
      [["--from", "192.0.2.1", "--to", "192.0.2.1:80", "--in", "nowhere0"], "there is no such interface"],
      [["--from", "192.0.2.1", "--to", "192.0.2.1:70000"], "no address with a port"],
      [["--from", "192.0.2.1", "--to", "192.0.2.1:80", "--protocol", "icmp"], "tcp"],
    ] as const
  ) {
    const { code, stderr } = await run(["explain", "-c", "f", ...args], { files: { f: CONFIG } });
    assert.equal(code, 2);
    assert.ok(stderr.includes(said), stderr);
  }
});

Deno.test("explain knows the client's hardware address where it is told", async () => {
  const files = { f: 'rules: [{ name: tablet, mac: ["02:00:5e:10:00:01"], action: block }]\n' };
  const ask = async (...mac: string[]) => {
    const args = [
      "explain",
      "-c",
      "f",
      "--rules-only",
      "--json",
      "--from",
      "10.0.0.2",
      "--to",
      "192.0.2.1:443",
    ];
    const { code, stdout } = await run([...args, ...mac], { files });
    return [code, JSON.parse(stdout).end];
  };
  assert.deepEqual(await ask("--mac", "02-00-5E-10-00-01"), [3, "refused"]);
  assert.deepEqual(await ask("--mac", "02:00:5e:10:00:02"), [0, "relayed"]);
  assert.deepEqual(await ask(), [3, "unknown"]);
});
