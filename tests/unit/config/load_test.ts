import assert from "node:assert/strict";
import { DEFAULT_CONFIG_PATH } from "../../../src/constants.ts";
import { DEFAULT_CONFIG } from "../../../src/config/defaults.ts";
import { loadConfig, loadText, parseConfig } from "../../../src/config/load.ts";
import { listUnsupported, requireSupported } from "../../../src/config/support.ts";
import { formatPorts } from "../../../src/config/values/ports.ts";
import { formatPrefix } from "../../../src/net/ip.ts";
import { OperationError } from "../../../src/net/error.ts";

const DESIGN = Deno.readTextFileSync(new URL("../../testdata/config/design.yaml", import.meta.url));

function missing(): never {
  throw new Deno.errors.NotFound("no such file");
}

Deno.test("loadConfig() falls back to the defaults only where no file was named", () => {
  const { config, origin } = loadConfig({ readTextFile: missing });
  assert.equal(config, DEFAULT_CONFIG);
  assert.equal(origin, "built-in defaults");
  assert.throws(() => loadConfig({ path: "/x", readTextFile: missing }), (error) => {
    return error instanceof OperationError && error.usage;
  });
});

Deno.test("loadConfig() reads the default file if it is there, and says so", () => {
  const asked: string[] = [];
  const readTextFile = (path: string) => {
    asked.push(path);
    return "source: router";
  };
  const { config, origin } = loadConfig({ readTextFile });
  assert.deepEqual(asked, [DEFAULT_CONFIG_PATH]);
  assert.equal(origin, DEFAULT_CONFIG_PATH);
  assert.equal(config.source, "router");
});

Deno.test("loadConfig() names the errno of a file that cannot be read", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const cases = [[directory, "EISDIR"], [`${directory}/none`, "ENOENT"], [`${directory}/none/x`, "ENOENT"]];
    for (const [path, code] of cases) {
      assert.throws(
        () => loadConfig({ path, readTextFile: Deno.readTextFileSync }),
        (error) => error instanceof OperationError && error.code === code && error.message.includes(path),
      );
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("parseConfig() loads the whole example of the design", () => {
  const config = parseConfig(DESIGN, "design.yaml");
  assert.deepEqual(config.intercept.interfaces, ["br-lan"]);
  assert.equal(formatPorts(config.intercept.ports as []), "80, 443, 8000-8100");
  assert.deepEqual(config.rules.map(({ name, action }) => `${name}: ${action}`), [
    "private networks: bypass",
    "kids after ten: block",
    "no telemetry: block",
    "web cache: deliver",
    "work: proxy",
  ]);
  assert.deepEqual(config.rules[0].to?.map(formatPrefix), [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
  ]);
  assert.equal(config.rules[3].deliverPort, 3129);
  assert.equal(config.rules[4].upstream, "office");
  assert.deepEqual(config.upstreams.parent, {
    type: "http-connect",
    address: { host: "proxy.corp.example", port: 3128 },
    send: "address",
    families: ["ipv4", "ipv6"],
    udp: false,
    check: DEFAULT_CONFIG.checks,
  });
  assert.partialDeepStrictEqual(config.upstreams.office, {
    username: "me",
    passwordFile: "/etc/tproxy/office.secret",
    udp: true,
  });
  assert.partialDeepStrictEqual(config.upstreams.edge, { proxyProtocol: "v2", source: "router" });
  const before = { tcpIdleMs: 7_200_000, halfClosedMs: 60_000 }; // they were defaults once
  assert.deepEqual(config.timeouts, { ...DEFAULT_CONFIG.timeouts, ...before });
  assert.equal(config.metrics, "127.0.0.1:9466");
});

Deno.test("parseConfig() reads a mark in any notation", () => {
  for (const mark of ["0x10", "16", '"0x10"', "0o20"]) {
    assert.equal(parseConfig(`kernel: { mark: ${mark} }`, "f").kernel.mark, 16, mark);
  }
});

Deno.test("parseConfig() writes names of hosts and hardware in one form", () => {
  const { rules } = parseConfig(
    'rules: [{ action: block, domains: ["*.Bücher.Example."], mac: [02:00:5E:10:00:01] }]',
    "f",
  );
  assert.deepEqual(rules[0].domains, ["*.xn--bcher-kva.example"]);
  assert.deepEqual(rules[0].mac, ["02:00:5e:10:00:01"]);
  assert.equal(rules[0].name, "rule 1");
});

Deno.test("requireSupported() refuses, with its place, what would not happen", () => {
  const cases: [string, string][] = [
    [
      "intercept: { router-traffic: true }\nkernel: { backend: iptables }",
      "f:1:14: the router's own traffic is intercepted with the backend netlink alone",
    ],
  ];
  for (const [text, said] of cases) {
    for (const command of ["install", "run"] as const) {
      assert.throws(() => requireSupported(loadText(text, "f"), command), (error) => {
        return error instanceof OperationError && error.usage && error.message.startsWith(said);
      }, text);
    }
  }
});

Deno.test("requireSupported() lets pass what asks for nothing of that", () => {
  const idle =
    "rules: [{ action: block, from: [10.0.0.0/8] }]\ndefault: bypass\nintercept: { router-traffic: true, protocols: [tcp] }\n" +
    "kernel: { backend: netlink }\nmetrics: off\nlog: { access: on }\n";
  assert.deepEqual(requireSupported(loadText(idle, "f"), "run"), []);
  assert.deepEqual(requireSupported(loadText("", "f"), "install"), []);
});

Deno.test("requireSupported() warns of metrics that others than this host can read", () => {
  for (const place of ["10.0.0.1:1", "0.0.0.0:1", '"[::]:1"', '"[fd00::1]:1"']) {
    const warnings = requireSupported(loadText(`control: /run/x\nmetrics: ${place}\n`, "f"), "run");
    assert.deepEqual(warnings.map((line) => line.split(" ")[0]), ["f:2:1:"], place);
  }
  for (const place of ["127.0.0.1:1", '"[::1]:1"', "127.9.9.9:1"]) {
    assert.deepEqual(requireSupported(loadText(`metrics: ${place}`, "f"), "run"), [], place);
  }
});

Deno.test("listUnsupported() has nothing to say of the design's example", () => {
  assert.deepEqual(listUnsupported(loadText(DESIGN, "f")), []);
});
