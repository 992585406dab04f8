/** Rules with lists from files: large ones, changed ones, wrong ones. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";
import { serve, socatServer } from "../../laboratory/network/sockets.ts";

const COUNT = 100_000;
const LIMIT_MS = 3_000;
/**
 * The machine may be busy with other things: so much longer it may last, while its processor time may not.
 */
const PATIENCE = 4;

/** Networks of 16 to 28 bits, some within others; none of them the laboratory's own. */
function manyNetworks(): string[] {
  const networks: string[] = [];
  let state = 1;
  for (let i = 0; i < COUNT; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const length = 16 + (state >>> 8) % 13;
    const address = ((0x20000000 + (state & 0x7fffffff)) & (~0 << (32 - length))) >>> 0;
    networks.push(`${[24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".")}/${length}`);
  }
  return networks;
}

/** Tells whether the client reaches the server, IPv4: only what the rules bypass is forwarded. */
async function reaches(lab: Lab): Promise<boolean> {
  const { stdout } = await lab.client.run(["socat", "-u", socatServer(4, 7000), "-"], { mayFail: true });
  return stdout === "hello\n";
}

labTest(
  "install loads 100,000 networks of a file in 3 s, status knows them, and the script of --dry-run does the same",
  {
    forwarding: true,
    programs: ["socat"],
    netlinkOnly: "iptables has no sets: so long a list is what install warns of",
  },
  async (lab) => {
    await serve(lab, 7000, "echo hello");
    const before = await snapshotKernel(lab.router);
    const list = lab.writeFile("networks", `${manyNetworks().join("\n")}\n`);
    const rules = [{ name: "a country", "to-file": list, action: "bypass" }];
    const config = writeConfig(lab, { rules, default: "block" });
    const script = await tproxy(lab, ["install", "--dry-run", "-c", config]);
    // Not among the networks: blocked. Then it is.
    const { elapsed, processor } = await installTimed(lab, config);
    assert.ok(elapsed < LIMIT_MS * PATIENCE, `${elapsed} ms`);
    assert.ok(processor < LIMIT_MS, `${processor} ms of processor time`);
    assert.equal(await reaches(lab), false);
    const status = await tproxy(lab, ["status", "--verbose", "-c", config]);
    assert.match(status.stdout, /present +set +rule0_to_ipv4 +\(.* and \d{5} more\)/);
    assert.ok(status.stdout.length < 10_000, "status lists the whole file");
    const elements = await countElements(lab);
    Deno.writeTextFileSync(list, `${manyNetworks().join("\n")}\n${ADDRESSES[4].server}\n`);
    await tproxy(lab, ["install", "-c", config]);
    assert.equal(await reaches(lab), true);
    assert.equal(await countElements(lab), elements + 2);

    await lab.router.run(["sh", lab.writeFile("rules.sh", script.stdout)], { timeoutMs: 60_000 });
    assert.equal(await countElements(lab), elements);
    await tproxy(lab, ["uninstall"]);
    assert.equal(await snapshotKernel(lab.router), before);
  },
);

/** Milliseconds of time, and of processor time, that an install takes. */
async function installTimed(lab: Lab, config: string): Promise<{ elapsed: number; processor: number }> {
  const started = performance.now();
  const command = [...tproxyCommand(), "install", "-c", config];
  const { stderr } = await lab.router.run([
    "bash",
    "-c",
    'TIMEFORMAT="%U %S"; time "$@" 2>/dev/null',
    "bash",
    ...command,
  ], {
    timeoutMs: 60_000,
  });
  const [user, system] = stderr.trim().split(" ").map(Number);
  return { elapsed: performance.now() - started, processor: (user + system) * 1000 };
}

async function countElements(lab: Lab): Promise<number> {
  const argv = ["nft", "--debug=netlink", "list", "set", "inet", "transparent_proxy", "rule0_to_ipv4"];
  const { stdout } = await lab.router.run(argv, { timeoutMs: 60_000 });
  return stdout.split("\n").filter((line) => line.startsWith("\telement ")).length;
}

labTest("install reads a list again, and leaves the kernel as it is when the list is wrong", {
  forwarding: true,
  programs: ["socat"],
}, async (lab) => {
  await serve(lab, 7000, "echo hello");
  const list = lab.writeFile("blocked", `# nobody yet\n`);
  const config = writeConfig(lab, { rules: [{ "from-file": list, action: "block" }] });
  const empty = await tproxy(lab, ["install", "-c", config]);
  assert.match(empty.stderr, /warning: rules\[0\] \(rule 1\) never matches: its list of networks is empty/);
  assert.equal(await reaches(lab), true);

  Deno.writeTextFileSync(list, `${ADDRESSES[4].client} # one of them\n`);
  await tproxy(lab, ["install", "-c", config]);
  assert.equal(await reaches(lab), false);

  const installed = await snapshotKernel(lab.router);
  Deno.writeTextFileSync(list, `192.0.2.0/24\n${ADDRESSES[4].client}/24\n`);
  const wrong = await tproxy(lab, ["install", "-c", config], { mayFail: true });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /\/blocked:2:1: bad value 10\.77\.1\.2\/24, .* did you mean 10\.77\.1\.0\/24\?/);
  Deno.removeSync(list);
  const missing = await tproxy(lab, ["install", "-c", config], { mayFail: true });
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /tproxy\.yaml:\d+:\d+: rules\[0\]\.from-file: cannot read .*blocked: ENOENT/);
  assert.equal(await snapshotKernel(lab.router), installed);
});
