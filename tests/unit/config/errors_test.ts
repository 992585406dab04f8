import assert from "node:assert/strict";
import { problemsOf } from "./problems.ts";

/** Each config has one error: the place, and a part of what is said. */
const CASES: readonly [config: string, place: string, ...said: string[]][] = [
  ["version: 2", "1:10", "version: bad value 2", "expected 1"],
  ['version: "1"', "1:10", 'bad value "1"'],
  [
    "intercept:\n  interfacs: [lan]",
    "2:3",
    'unknown key "interfacs" in intercept',
    "did you mean interfaces?",
  ],
  ["port: 50080", "1:1", 'unknown key "port"', "did you mean listener.port?"],
  ["intercept: { port: 80 }", "1:14", "did you mean ports?"],
  ["qqqqqqqq: 1", "1:1", "known: version, intercept, listener"],
  ["__proto__: 1", "1:1", 'unknown key "__proto__"'],
  ["constructor: 1", "1:1", 'unknown key "constructor"'],
  ["source: client\nsource: router", "2:1", "twice"],
  ["listener: { port: 0 }", "1:19", "bad value 0", "1 to 65535"],
  ["listener: { port: 65536 }", "1:19", "bad value 65536"],
  ["listener: { port: 80.5 }", "1:19", "bad value 80.5"],
  ["listener: { port: [80] }", "1:19", "bad value [80]"],
  ["listener: { port: }", "1:19", "no value"],
  ["listener: { workers: many }", "1:22", "expected auto or a number of threads, 1 to 256"],
  ["listener: 80", "1:11", "expected keys and values"],
  ["listener: [80]", "1:11", "expected keys and values"],
  ["intercept: { interfaces: [] }", "1:26", "bad value []", "list such as"],
  ["intercept: { interfaces: br-lan }", "1:26", "bad value br-lan", "auto or a list"],
  ["intercept: { interfaces: [an-interface-name] }", "1:27", "at most 15 bytes"],
  ["intercept: { interfaces: [a/b] }", "1:27", "bad value a/b"],
  ["intercept: { ports: [80, 99999] }", "1:26", "intercept.ports[1]: bad value 99999"],
  ['intercept: { ports: ["90-80"] }', "1:22", 'bad value "90-80"'],
  ["intercept: { protocols: [tpc] }", "1:26", "tcp or udp, did you mean tcp?"],
  ["intercept: { router-traffic: yes }", "1:30", "bad value yes", "true or false"],
  ["intercept: { on-failure: closed }", "1:26", "open, reset or drop"],
  ["kernel: { mark: 0x40000000 }", "1:17", "bad value 0x40000000", "0x3fffffff"],
  ["kernel: { mark: 0 }", "1:17", "bad value 0"],
  ["kernel: { table: 254 }", "1:18", "bad value 254", "not 253, 254 or 255"],
  ["source: clent", "1:9", "did you mean client?"],
  ["timeouts: { connect: 10 }", "1:22", "bad value 10", "expected a unit, such as 10s or 10ms"],
  ["timeouts: { connect: 10x }", "1:22", "expected a duration such as"],
  ["timeouts: { connect: 0s }", "1:22", "from 1ms to 24d"],
  ["timeouts: { tcp-idle: 25d }", "1:23", "from 1ms to 24d"],
  ["limits: { connections: 0 }", "1:24", "bad value 0"],
  ["limits: { per-client: -1 }", "1:23", "bad value -1"],
  ["control: run/control.sock", "1:10", "a path that begins with /"],
  ["metrics: localhost:9466", "1:10", "bad value localhost:9466"],
  ["log: { level: verbose }", "1:15", "error, warn, info or debug"],
  ["log: { access: access.log }", "1:16", "expected off or on or a path that begins with /"],
  ["rules: {}", "1:8", "expected a list of rules"],
  ["rules: [5]", "1:9", "rules[0]: bad value 5"],
  ["rules:\n  - name: x", "2:5", "a rule needs an action"],
  ["rules:\n  - { action: deliver }", "2:5", "action deliver needs deliver-port"],
  ["rules:\n  - { action: block, deliver-port: 80 }", "2:36", "only action deliver uses deliver-port"],
  ["listener: {port: 9}\nrules: [{ action: deliver, deliver-port: 9 }]", "2:42", "tproxy's own listener"],
  ["rules: [{ action: block, to: [10.0.0.0/33] }]", "1:31", "bad value 10.0.0.0/33"],
  ["rules: [{ action: block, to: [10.0.0.1/8] }]", "1:31", "did you mean 10.0.0.0/8?"],
  ["rules: [{ action: block, from: [fe80::1%eth0] }]", "1:33", "bad value fe80::1%eth0"],
  ['rules: [{ action: block, domains: ["a..b"] }]', "1:36", "expected a domain such as"],
  ['rules: [{ action: block, domains: ["a.*.b"] }]', "1:36", "expected a domain such as"],
  ["rules: [{ action: deliver, deliver-port: 50080 }]", "1:42", "tproxy's own listener"],
  ["rules: [{ action: bypass, silent: true }]", "1:35", "only action block uses silent"],
  ["rules: [{ action: block, in: [a], interfaces: [b] }]", "1:47", "in and interfaces are the same"],
  ["rules: [{ action: block, to-file: lists/x }]", "1:35", "a path that begins with /"],
  ["rules: [{ action: block, domains: [10.0.0.1] }]", "1:36", "expected a domain such as"],
  ["rules: [{ action: block, mac: [02-00-5e-10-00-01] }]", "1:32", "hardware address"],
  ["rules: [{ name: a, action: block }, { name: a, action: block }]", "1:45", "another rule has this name"],
  [
    "rules: [{ action: proxy, upstream: offce }]\nupstreams: { office: { type: socks5, address: 10.0.0.1:1 } }",
    "1:36",
    "did you mean office?",
  ],
  ["upstreams: { a: { type: socks5 } }", "1:17", "an upstream needs address"],
  ["upstreams: { a: { type: socks5, address: 10.0.0.1 } }", "1:42", "bad value 10.0.0.1"],
  ["upstreams: { a: { type: socks5, address: '10.0.0.400:1' } }", "1:42", "bad value '10.0.0.400:1'"],
  ["upstreams: { a: { type: socks5, address: 'h:0' } }", "1:42", "bad value 'h:0'"],
  [
    "upstreams: { a: { type: forward, address: 'h:1', username: u } }",
    "1:60",
    "only socks5 and http-connect use username",
  ],
  ["upstreams: { a: { type: socks5, address: 'h:1', proxy-protocol: v1 } }", "1:65", "only type forward"],
  ["upstreams: { a: { type: socks5, address: 'h:1', password-file: /p } }", "1:64", "needs username"],
  ["upstreams: { constructor: { type: socks5, address: 'h:1' } }", "1:27", "cannot be a name"],
  ["default: proxy", "1:10", "needs an entry in upstreams"],
  ["default: proxy\nupstreams: { a: { type: direct } }", "1:10", "proxy needs default-upstream"],
  ["default-upstream: a\nupstreams: { a: { type: direct } }", "1:19", "only default: proxy uses it"],
  ["default: proxy\ndefault-upstream: b\nupstreams: { a: { type: direct } }", "2:19", "did you mean a?"],
  ["rules: [{ action: deliver, deliver-port: 9, domains: [a.b] }]", "1:54", "deliver cannot go by names"],
  ["rules: [{ action: block, silent: true, domains-file: /l }]", "1:34", "by names cannot be silent"],
  ["rules: [{ action: block, domains-file: l }]", "1:40", "a path that begins with /"],
  ["rules: [{ action: block, domains-file: [/l, m] }]", "1:45", "a path that begins with /"],
  ["rules: [{ action: block, domains-file: [] }]", "1:40", "list such as"],
  ["rules: [{ action: block, when-down: block }]", "1:37", "only action proxy uses when-down"],
  ['rules: [{ action: block, domains: ["*"] }]', "1:36", "expected a domain such as"],
  ['rules: [{ action: block, domains: ["."] }]', "1:36", "expected a domain such as"],
  ["rules: [{ action: proxy }]", "1:9", "action proxy needs upstream"],
  [
    "upstreams: { a: { type: direct, address: 'h:1' } }",
    "1:42",
    "only socks5, http-connect and forward use address",
  ],
  ["upstreams: { a: { type: direct, mark: 0x200/0x100 } }", "1:39", "a mark such as"],
  ["upstreams: { a: { type: direct, mark: 0x202/0xff02 } }", "1:39", "0x2 is among our own bits"],
  ["upstreams: { a: { type: http-connect, address: 'h:1', udp: true } }", "1:60", "CONNECT carries no UDP"],
  [
    "upstreams: { a: { type: forward, address: 'h:1', proxy-protocol: v1, udp: true } }",
    "1:75",
    "cannot tell of UDP",
  ],
  ["upstreams: { a: { type: http-connect, address: 'h:1', username: 'a:b' } }", "1:65", "no colon"],
  [`upstreams: { a: { type: socks5, address: 'h:1', username: ${"u".repeat(256)} } }`, "1:59", "255 bytes"],
  ["upstreams: { a: { type: forward, address: 'h:1', check: { target: 'h:1' } } }", "1:57", "has no target"],
  ["upstreams: { a: { type: direct, check: { rise: 0 } } }", "1:48", "bad value 0"],
  [
    "upstreams: { a: { type: socks5, address: 'h:1', udp-address: x } }",
    "1:62",
    "expected an address such as",
  ],
  ["checks: { target: nowhere }", "1:19", "expected none or an address or name with a port"],
  ["checks: { intervall: 1s }", "1:11", "did you mean interval?"],
  ["groups: { g: { } }", "1:14", "a group needs members"],
  ["groups: { g: { members: [] } }", "1:25", "a list such as"],
  ["groups: { g: { members: [a] } }", "1:26", "no upstream has the name"],
  [
    "upstreams: { a: { type: direct } }\ngroups: { g: { members: [a, a] } }",
    "2:29",
    "this member stands there twice",
  ],
  [
    "upstreams: { a: { type: direct } }\ngroups: { g: { members: [a] }, h: { members: [g] } }",
    "2:47",
    "a group cannot be a member of a group",
  ],
  [
    "upstreams: { a: { type: direct } }\ngroups: { a: { members: [a] } }",
    "2:14",
    "an upstream has this name",
  ],
  [
    "upstreams: { a: { type: forward, address: 'h:1', proxy-protocol: v1 } }\n" +
    "groups: { g: { members: [a] } }\nrules: [{ action: proxy, upstream: g }]",
    "3:36",
    "a is told of clients by PROXY v1",
  ],
  ["listener:\n\tport: 80", "2:1", "a tab cannot indent YAML"],
  ["a: [1, 2", "1:9", "bad YAML"],
  ["- 1", "1:1", "expected keys and values"],
  ["just text", "1:1", "expected keys and values"],
  ["version: 1\n---\nversion: 1", "2:1", "a second document"],
  ["source: !secret x", "1:9", "unknown tag"],
];

for (const [config, place, ...said] of CASES) {
  Deno.test(`parseConfig() finds the error in ${JSON.stringify(config)}`, () => {
    const problems = problemsOf(config);
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.ok(problems[0].startsWith(`${place}: `), `${problems[0]} is not at ${place}`);
    for (const part of said) assert.ok(problems[0].includes(part), `"${problems[0]}" does not say "${part}"`);
  });
}

Deno.test("parseConfig() lists all errors in the order of the file", () => {
  const problems = problemsOf(
    "timeouts: { connect: 10 }\nsource: x\nsource: y\nfoo: 1\nrules:\n  - { action: proxy, upstream: a, to: [b] }\nversion: 3\n",
  );
  assert.deepEqual(problems.map((line) => line.split(" ")[0]), [
    "1:22:",
    "2:9:",
    "3:1:",
    "4:1:",
    "6:32:",
    "6:40:",
    "7:10:",
  ]);
});

Deno.test("parseConfig() shortens a long bad value", () => {
  const [problem] = problemsOf(`source: ${"x".repeat(10_000)}`);
  assert.ok(problem.length < 200, problem);
});
