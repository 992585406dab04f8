import assert from "node:assert/strict";
import { DEFAULT_CONFIG_PATH } from "../../../src/constants.ts";
import { allKeys } from "../../../src/config/schema/known_keys.ts";
import { run } from "./fake_env.ts";

Deno.test("check prints what is in effect, and where it comes from", async () => {
  const { code, stdout, stderr } = await run(["check"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.match(stdout, /^built-in defaults: valid\. In effect:\n/);
  for (const key of allKeys().filter((key) => !/[[*]|^version$/.test(key))) {
    const leaf = !allKeys().some((other) => other.startsWith(`${key}.`));
    if (leaf) assert.match(stdout, new RegExp(`^  ${key} +\\S`, "m"));
  }
});

Deno.test("check takes the default file if it is there", async () => {
  const { stdout } = await run(["check"], { files: { [DEFAULT_CONFIG_PATH]: "listener: { port: 8 }" } });
  assert.match(stdout, /^\/etc\/tproxy\/tproxy\.yaml: valid/);
  assert.match(stdout, /^ {2}listener\.port +8$/m);
});

Deno.test("check shows values in one form", async () => {
  const files = {
    f: 'intercept: { ports: ["8000-8100", 443, 80, 81] }\nkernel: { mark: 16 }\ntimeouts: { drain: 90s }',
  };
  const { stdout } = await run(["check", "f"], { files });
  assert.match(stdout, /intercept\.ports +80-81, 443, 8000-8100$/m);
  assert.match(stdout, /kernel\.mark +0x10$/m);
  assert.match(stdout, /timeouts\.drain +1m30s$/m);
});

Deno.test("check lists errors with their place, and their number", async () => {
  const { code, stdout, stderr } = await run(["check", "f"], { files: { f: "port: 1\nsource: x\n" } });
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.equal(
    stderr,
    'f:1:1: unknown key "port", did you mean listener.port?\n' +
      "f:2:9: source: bad value x, expected client, client-address or router\n" +
      "tproxy: 2 errors in f\n",
  );
});

Deno.test("check names a file that is not there", async () => {
  const { code, stderr } = await run(["check", "/none.yaml"]);
  assert.equal(code, 2);
  assert.equal(stderr, 'tproxy: Cannot read config "/none.yaml": ENOENT (No such file or directory)\n');
});

Deno.test("check agrees with install on what this version does not support, and shows it all the same", async () => {
  const design = Deno.readTextFileSync(new URL("../../testdata/config/design.yaml", import.meta.url));
  const f = design.replace("router-traffic: false", "router-traffic: true")
    .replace("backend: netlink", "backend: iptables");
  const { code, stdout, stderr } = await run(["check", "f"], { files: { f } });
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^error: f:7:\d+: the router's own traffic is intercepted with the backend netlink alone \(refused by install and run\)$/m,
  );
  assert.match(stdout, /^f: not supported by this version/);
  assert.match(stdout, /rules\[4\] +work: domains \*\.corp\.example → proxy to office$/m);
});

Deno.test("check accepts what config example prints", async () => {
  const { stdout: f } = await run(["config", "example"]);
  const checked = await run(["check", "f"], { files: { f } });
  assert.equal(checked.code, 0);
  assert.equal(checked.stderr, "");
});

Deno.test("config schema prints JSON", async () => {
  const { code, stdout } = await run(["config", "schema"]);
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).title, "tproxy configuration");
});

Deno.test("run refuses, before anything else, a config that it cannot fulfil", async () => {
  const { code, stderr } = await run(["run", "-c", "f"], {
    files: { f: "kernel: { backend: iptables }\nintercept: { router-traffic: true }\n" },
  });
  assert.equal(code, 2);
  assert.match(stderr, /^f:2:\d+: the router's own traffic is intercepted with the backend netlink alone$/m);
});

Deno.test("check takes -c as the other commands do", async () => {
  const { code, stdout } = await run(["check", "-c", "f"], { files: { f: "listener: { port: 8 }" } });
  assert.equal(code, 0);
  assert.match(stdout, /^f: valid/);
  const both = await run(["check", "-c", "f", "g"], { files: { f: "", g: "" } });
  assert.equal(both.code, 2);
});
