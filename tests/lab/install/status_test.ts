/** `tproxy status` sees what others did to an install. */
import assert from "node:assert/strict";
import { usesIptables } from "../../laboratory/proxy/backend.ts";
import type { Lab } from "../../laboratory/lab.ts";
import { PROXY_PORT, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

interface StatusDocument {
  readonly installed: boolean;
  readonly proxy: {
    running: boolean;
    listeners: { protocol: string; address: string; listening: boolean }[];
    holder?: { name: string; ours: boolean };
  };
  readonly objects: { kind: string; name: string; state: string; detail?: string }[];
}

async function readStatus(lab: Lab, path: string): Promise<StatusDocument & { code: number; bad: string[] }> {
  const { stdout, code } = await tproxy(lab, ["status", "--json", "-c", path], { mayFail: true });
  const document = JSON.parse(stdout) as StatusDocument;
  const bad = document.objects.filter(({ state }) => state !== "present")
    .map(({ state, kind, name }) => `${state} ${kind} ${name}`);
  return { ...document, code, bad };
}

const TABLE = ["inet", "transparent_proxy"];

/** Changes that somebody makes, and the words of status on them. */
const CHANGES: readonly { readonly command: readonly string[]; readonly expected: readonly RegExp[] }[] = [
  {
    command: ["nft", "flush", "chain", ...TABLE, "unanswered"],
    expected: [/^missing rule unanswered: meta mark/],
  },
  {
    command: ["nft", "insert", "rule", ...TABLE, "divert", "counter", "accept"],
    expected: [/^foreign rule divert: handle \d+/],
  },
  { command: ["nft", "add", "chain", ...TABLE, "mine"], expected: [/^foreign chain mine$/] },
  { command: ["nft", "add", "element", ...TABLE, "lan", "{ r9 }"], expected: [/^changed set lan$/] },
  { command: ["nft", "add", "element", ...TABLE, "ports", "{ 90 }"], expected: [/^changed set ports$/] },
  {
    command: ["ip", "rule", "del", "priority", "500", "iif", "r0"],
    expected: [/^missing routing-rule ipv4 rule 500: fwmark (0x\w+)\/\1 iif r0/],
  },
  {
    command: ["ip", "rule", "add", "priority", "500", "fwmark", "9", "lookup", "7", "protocol", "50"],
    expected: [/^foreign routing-rule ipv4 rule 500: fwmark 0x9/],
  },
  {
    command: ["ip", "-6", "route", "flush", "table", "100"],
    expected: [/^missing route ipv6 route: local default dev lo table 100/],
  },
];

labTest("status tells objects that are missing, changed or foreign", {}, async (lab) => {
  const path = writeConfig(lab, {
    intercept: { interfaces: ["r0", "r1"], ports: [80, "8000-8100"] },
  });
  const nothing = await readStatus(lab, path);
  assert.equal(nothing.code, 1);
  assert.ok(nothing.objects.every(({ state }) => state === "missing"));
  // Other programs' changes of iptables' rules are in tests/lab/iptables.
  const changes = CHANGES.filter(({ command: [program] }) => !usesIptables() || program === "ip");
  for (const { command, expected } of changes) {
    await tproxy(lab, ["install", "-c", path]);
    const whole = await readStatus(lab, path);
    assert.deepEqual([whole.code, whole.installed, whole.bad], [0, true, []]);
    await lab.router.run(command);
    const status = await readStatus(lab, path);
    assert.deepEqual([status.code, status.installed], [1, false], command.join(" "));
    assert.equal(status.bad.length, expected.length, status.bad.join("\n"));
    expected.forEach((pattern, index) => assert.match(status.bad[index], pattern));
  }
});

labTest("status judges by the config, not by what happens to be installed", {}, async (lab) => {
  const path = writeConfig(lab);
  await tproxy(lab, ["install", "-c", path]);
  const other = writeConfig(lab, { intercept: { "on-failure": "reset" }, kernel: { table: 200 } });
  const { bad } = await readStatus(lab, other);
  const refusal = usesIptables()
    ? /^missing rule iptables filter TPROXY_REJECT: -p tcp .* -j REJECT --reject-with tcp-reset$/
    : /^missing rule unanswered: meta mark .* l4proto tcp reject with tcp reset$/;
  assert.ok(bad.some((line) => refusal.test(line)), bad.join("\n"));
  assert.ok(bad.includes("missing route ipv4 route: local default dev lo table 200"));
  assert.ok(bad.includes("foreign route ipv4 route: local default dev lo table 100"));
});

labTest("status says whether a proxy listens", { programs: ["socat"] }, async (lab) => {
  const path = writeConfig(lab);
  await tproxy(lab, ["install", "-c", path]);
  // A wildcard listener of someone else is not ours.
  const wildcard = await lab.router.start(["socat", `TCP4-LISTEN:${PROXY_PORT}`, "-"], {
    listens: PROXY_PORT,
  });
  assert.equal((await readStatus(lab, path)).proxy.running, false);
  await wildcard.stop();
  for (
    const listener of [`TCP4-LISTEN:${PROXY_PORT},bind=127.0.0.1`, `TCP6-LISTEN:${PROXY_PORT},bind=[::1]`]
  ) {
    const program = await lab.router.start(["socat", listener, "-"], { listens: PROXY_PORT });
    const { proxy, code } = await readStatus(lab, path);
    assert.equal(code, 0);
    // Somebody listens, and it is no proxy of ours.
    assert.deepEqual([proxy.running, proxy.holder?.name, proxy.holder?.ours], [false, "socat", false]);
    assert.deepEqual(
      proxy.listeners.filter(({ listening }) => listening).map(({ protocol, address }) =>
        `${protocol} ${address}`
      ),
      [listener.includes("[::1]") ? "tcp [::1]:50080" : "tcp 127.0.0.1:50080"],
    );
    await program.stop();
  }
});
