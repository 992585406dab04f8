/**
 * Failures in the middle of install and uninstall: all or nothing, and a clear message. Injected by strace.
 */
import assert from "node:assert/strict";
import { labBackend, usesIptables } from "../../laboratory/proxy/backend.ts";
import type { Lab } from "../../laboratory/lab.ts";
import { backendPrograms, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";

const NEEDED = { programs: ["strace"] };

/** Runs tproxy with its n-th message to the kernel failing, or killed there. */
async function runWithFault(lab: Lab, args: readonly string[], fault: { at: number; how: string }) {
  const inject = `inject=sendto:${fault.how}:when=${fault.at}`;
  const log = `${lab.directory}/strace`;
  const outcome = await lab.router.run(
    // Programs that it runs (iptables-restore) have messages of their own: those fail in other tests.
    [
      "strace",
      ...usesIptables() ? [] : ["-f"],
      "-qq",
      "-o",
      log,
      "-e",
      "trace=sendto",
      "-e",
      inject,
      ...tproxyCommand(),
      ...args,
    ],
    { mayFail: true, ...backendPrograms(lab) },
  );
  return { ...outcome, injected: /INJECTED|killed by SIGKILL/.test(Deno.readTextFileSync(log)) };
}

/** Tells whether an install was through with the kernel before its message failed. */
function isDone(stdout: string): boolean {
  return stdout.startsWith("Installed");
}

labTest("install that fails at any message to the kernel changes nothing", NEEDED, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const path = writeConfig(lab);
  let failures = 0;
  for (let at = 1;; at++) {
    const { code, stdout, stderr, injected } = await runWithFault(lab, ["install", "-c", path], {
      at,
      how: "error=ENOMEM",
    });
    if (!injected) break;
    if (isDone(stdout)) {
      // It failed to look for remains of a trial, or for what is in the way of proxies: both may fail.
      assert.equal(code, 0, `message ${at}: ${stderr}`);
      await tproxy(lab, ["uninstall"]);
      continue;
    }
    failures++;
    assert.equal(code, 1, `message ${at}`);
    assert.match(stderr, /ENOMEM/);
    assert.equal(await snapshotKernel(lab.router), before, `after a failure at message ${at}: ${stderr}`);
  }
  // Two dumps each of routes and rules, of links and tables; two routes, four rules, the batch: at least so
  // many.
  assert.ok(failures >= 13, `only ${failures} messages failed`);
});

/** Chains of iptables-nft are listed in the order in which they were made. */
function inAnyOrder(snapshot: string): string {
  return usesIptables() ? snapshot.split("\n").toSorted().join("\n") : snapshot;
}

labTest("install that fails over an earlier one leaves that in force", NEEDED, async (lab) => {
  const first = writeConfig(lab);
  await tproxy(lab, ["install", "-c", first]);
  const before = await snapshotKernel(lab.router);
  const second = lab.writeFile(
    "second.yaml",
    `intercept: { interfaces: [r1] }\nkernel: { mark: 0x8, table: 300, backend: ${labBackend().name} }\n`,
  );
  const messages: string[] = [];
  for (let at = 1;; at++) {
    const { code, stdout, stderr, injected } = await runWithFault(lab, ["install", "-c", second], {
      at,
      how: "error=ENOMEM",
    });
    if (!injected) break;
    if (isDone(stdout)) {
      await tproxy(lab, ["uninstall"]);
      await tproxy(lab, ["install", "-c", first]);
      continue;
    }
    assert.equal(code, 1);
    if (/All new rules are in force/.test(stderr)) {
      // Past the batch: what is left are routing entries of the first install; running it again mends it.
      messages.push("new");
      await tproxy(lab, ["install", "-c", second]);
      await tproxy(lab, ["status", "-c", second]);
      // Built-in chains that iptables-nft has made for the second, and the first needs not, stay until then.
      if (usesIptables()) await tproxy(lab, ["uninstall"]);
      await tproxy(lab, ["install", "-c", first]);
    } else messages.push(/The earlier install is in force as before/.test(stderr) ? "earlier" : "unread");
    const after = await snapshotKernel(lab.router);
    assert.equal(inAnyOrder(after), inAnyOrder(before), `after a failure at message ${at}: ${stderr}`);
  }
  assert.ok(messages.includes("earlier") && messages.includes("new"), messages.join(" "));
});

labTest(
  "install that is killed at any message is removed by uninstall, and mended by install",
  NEEDED,
  async (lab) => {
    const before = await snapshotKernel(lab.router);
    const path = writeConfig(lab);
    for (let at = 8;; at++) {
      const { stdout, injected } = await runWithFault(lab, ["install", "-c", path], {
        at,
        how: "signal=KILL",
      });
      if (!injected || isDone(stdout)) break;
      if (at % 2 === 0) {
        await tproxy(lab, ["install", "-c", path]);
        await tproxy(lab, ["status", "-c", path]);
      }
      await tproxy(lab, ["uninstall"]);
      assert.equal(await snapshotKernel(lab.router), before, `killed at message ${at}`);
    }
  },
);

labTest("uninstall that is killed at any message is completed by another", NEEDED, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const path = writeConfig(lab);
  for (let at = 1;; at++) {
    await tproxy(lab, ["install", "-c", path]);
    const { injected } = await runWithFault(lab, ["uninstall"], { at, how: "signal=KILL" });
    await tproxy(lab, ["uninstall"]);
    assert.equal(await snapshotKernel(lab.router), before, `killed at message ${at}`);
    if (!injected) break;
  }
});

labTest("install without CAP_NET_ADMIN says what it needs", { programs: ["setpriv"] }, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const drop = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"];
  const path = writeConfig(lab);
  for (const args of [["install", "-c", path], ["uninstall"], ["status", "-c", path]]) {
    const { code, stderr } = await lab.router.run([...drop, ...tproxyCommand(), ...args], {
      mayFail: true,
      ...backendPrograms(lab),
    });
    assert.equal(code, 1);
    assert.match(stderr, /EPERM \(Operation not permitted\).*CAP_NET_ADMIN.*sudo/);
  }
  assert.equal(await snapshotKernel(lab.router), before);
  const { stdout } = await lab.router.run([...drop, ...tproxyCommand(), "install", "--dry-run", "-c", path]);
  assert.match(stdout, usesIptables() ? /\| iptables-restore --noflush/ : /^nft -f - <<'END'$/m);
});

labTest("install on an interface that does not exist changes nothing", {}, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const path = writeConfig(lab, { intercept: { interfaces: ["r0", "br-lan"] } });
  const { code, stderr } = await tproxy(lab, ["install", "-c", path], { mayFail: true });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /Cannot intercept on interface "br-lan": there is no such interface. This machine has r0, r1/,
  );
  assert.equal(await snapshotKernel(lab.router), before);
});
