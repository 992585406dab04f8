/**
 * `tproxy selftest`, for real: it passes, cleans up after itself, and notices when the proxy does not work.
 */
import assert from "node:assert/strict";
import { IPTABLES_VARIANTS, iptablesOnly, obstacleOf } from "../../laboratory/programs/iptables.ts";
import { tproxyCommand } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

interface Report {
  readonly failed: number;
  readonly checks: { name: string; result: string; detail: string }[];
}

/**
 * The directory of these self-tests' files: another self-test on this machine is not taken for one of them.
 */
const DIRECTORY = Deno.makeTempDirSync({ prefix: "tproxy-lab-selftests-" });
globalThis.addEventListener("unload", () => Deno.removeSync(DIRECTORY, { recursive: true }));

const PROJECT = new URL("../../../", import.meta.url).pathname;

function selftest(
  args: readonly string[],
  words = tproxyCommand(),
  options: { env?: Record<string, string> } = {},
): Deno.Command {
  const [command, ...rest] = words;
  return new Deno.Command(command, {
    args: [...rest, "selftest", ...args],
    env: { TMPDIR: DIRECTORY, ...options.env },
    stdout: "piped",
    stderr: "piped",
  });
}

/** Traces that a self-test could leave: its temporary directory, its proxy. */
function traces(): string[] {
  const directories = [...Deno.readDirSync(DIRECTORY)].map(({ name }) => name);
  const processes = [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name)).flatMap(
    ({ name }) => {
      try {
        const words = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
        return words.some((word) => word.startsWith(`${DIRECTORY}/tproxy-selftest-`))
          ? [words.join(" ")]
          : [];
      } catch {
        return []; // it has ended meanwhile
      }
    },
  );
  return [...directories, ...processes];
}

labTest("selftest passes on this kernel, and leaves nothing behind", { programs: [] }, async () => {
  const { code, stdout, stderr } = await selftest(["--json"]).output();
  const report = JSON.parse(new TextDecoder().decode(stdout)) as Report;
  assert.deepEqual(report.checks.filter(({ result }) => result === "fail"), []);
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.ok(report.checks.length >= 20);
  // Without IPv6 its rows are skipped; those of IPv4 never are.
  const udp = report.checks.filter(({ name }) => name.includes("UDP") && name.endsWith("IPv4"));
  assert.equal(udp.length, 11);
  assert.deepEqual(udp.filter(({ result }) => result !== "pass"), []);
  assert.deepEqual(traces(), []);
});

const SOURCE = [`${PROJECT}scripts/deno`, "run", "-A", `${PROJECT}src/cli/entry.ts`];

/**
 * The source program, which starts `self` where it would start itself; the single file sets TPROXY_SELF
 * itself.
 */
function withSelf(self: string): string[] {
  return ["env", `TPROXY_SELF=${self}`, ...SOURCE];
}

for (const variant of IPTABLES_VARIANTS) {
  labTest(`selftest --backend iptables passes on this kernel, iptables-${variant}`, {
    programs: ["iptables"],
    ...obstacleOf(variant),
  }, async (lab) => {
    const args = ["--json", "--backend", "iptables"];
    const { code, stdout, stderr } = await selftest(args, tproxyCommand(), iptablesOnly(lab, variant))
      .output();
    const report = JSON.parse(new TextDecoder().decode(stdout)) as Report;
    assert.deepEqual(report.checks.filter(({ result }) => result === "fail"), []);
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const install = report.checks.find(({ name }) => name === "install");
    assert.match(install!.detail, variant === "nft" ? /nf_tables/ : /legacy/);
    assert.deepEqual(traces(), []);
  });
}

labTest("selftest --backend iptables fails where uninstall leaves rules of iptables-legacy", {
  programs: ["iptables"],
  ...obstacleOf("legacy"),
}, async (lab) => {
  const lazy = lab.writeFile(
    "lazy",
    `#!/bin/sh\ncase $1 in uninstall) exit 0;; esac\nexec ${SOURCE.join(" ")} "$@"\n`,
  );
  Deno.chmodSync(lazy, 0o755);
  const args = ["--json", "--backend", "iptables"];
  const { code, stdout } = await selftest(args, withSelf(lazy), iptablesOnly(lab, "legacy")).output();
  const report = JSON.parse(new TextDecoder().decode(stdout)) as Report;
  assert.equal(code, 1);
  const failed = report.checks.filter(({ result }) => result === "fail");
  assert.deepEqual(failed.map(({ name }) => name), ["uninstall leaves nothing"]);
  assert.match(failed[0].detail, /left: iptables-legacy ipv4 raw TPROXY_DIVERT/);
});

labTest("selftest fails where the proxy relays TCP alone", { programs: [] }, async (lab) => {
  const tcpOnly = lab.writeFile(
    "tcp-only",
    [
      "#!/bin/sh",
      `for word; do case $word in *.yaml) sed -i 's/admission/protocols: [tcp], admission/' "$word";; esac; done`,
      `exec ${SOURCE.join(" ")} "$@"`,
    ].join("\n"),
  );
  Deno.chmodSync(tcpOnly, 0o755);
  const { code, stdout } = await selftest(["--json"], withSelf(tcpOnly)).output();
  const report = JSON.parse(new TextDecoder().decode(stdout)) as Report;
  assert.equal(code, 1);
  const names = (wanted: string) =>
    report.checks.filter(({ name, result }) => result === wanted && name.endsWith("IPv4"))
      .map(({ name }) => name).filter((name) => name.includes("UDP"));
  // Other traffic is forwarded as if nothing were installed.
  assert.deepEqual(names("pass"), ["proxy killed, on-failure open: forwarded, UDP, IPv4"]);
  assert.equal(names("fail").length, 10);
  // Some try both protocols, and say which one fails.
  const others = report.checks.filter(({ name, result }) => result === "fail" && !name.includes("UDP"));
  assert.deepEqual(others.filter(({ detail }) => !detail.startsWith("UDP: ")), []);
  assert.deepEqual(traces(), []);
});

labTest("selftest fails where the proxy cannot be started", { programs: [] }, async () => {
  const { code, stdout } = await selftest(["--json"], withSelf("/bin/false")).output();
  const report = JSON.parse(new TextDecoder().decode(stdout)) as Report;
  assert.equal(code, 1);
  assert.equal(report.checks.find(({ name }) => name === "install")?.result, "fail");
  assert.ok(
    report.checks.some(({ result, detail }) => result === "skip" && detail.includes('"install" failed')),
  );
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  labTest(`selftest cleans up on ${signal}`, { programs: [] }, async () => {
    const child = selftest([]).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    // In the middle: the proxy runs in the router.
    while (!text.includes("half-close")) {
      const { done, value } = await reader.read();
      assert.equal(done, false, text);
      text += value;
    }
    assert.ok(traces().length >= 2, "its directory and its proxy are seen");
    child.kill(signal);
    while (!(await reader.read()).done);
    const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
    assert.equal(code, 130, stderr);
    assert.match(stderr, /Interrupted/);
    assert.deepEqual(traces(), []);
  });
}

labTest("selftest cleans up when nobody reads its output any more", { programs: [] }, async () => {
  const child = selftest([]).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("half-close")) text += (await reader.read()).value ?? "";
  await reader.cancel();
  const [{ code }] = await Promise.all([child.status, child.stderr.cancel()]);
  assert.equal(code, 141); // as if SIGPIPE had ended it
  assert.deepEqual(await waitForNoTraces(), []);
});

/** A process that was killed takes a moment to go. */
async function waitForNoTraces(): Promise<string[]> {
  for (let attempt = 0; attempt < 20 && traces().length > 0; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return traces();
}
