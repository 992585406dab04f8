/**
 * The start at boot under a real systemd that is process 1 of namespaces; the same as
 * tests/vm/systemd_test.ts, in a minute.
 */
import { missingSystemd } from "../../vm/support/systemd.ts";
import { tryFirstBoot, trySecondBoot } from "../../vm/support/systemd_scenario.ts";
import { checkLeaks } from "../../laboratory/machine/leaks.ts";
import { print } from "../../laboratory/machine/print.ts";
import { tproxyCommand } from "../../laboratory/proxy/proxy.ts";
import { runProgram } from "../../laboratory/program.ts";
import { SystemdBox } from "../../laboratory/machine/systemd_box.ts";

const NAME =
  "systemd starts what install --boot has written, keeps it running, and starts it at the next boot";

/** Returns the reason why systemd cannot run here, if any. */
async function findObstacle(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "needs root (namespaces)";
  if (Deno.env.get("TPROXY_BIN") === undefined) return "needs the single file: TPROXY_BIN names none";
  if (Deno.env.get("TPROXY_LAB_BACKEND") !== undefined) return "is the same with every backend";
  const { code } = await runProgram(["unshare", "--mount", "sh", "-c", "mount -t cgroup2 cgroup /mnt"], {
    mayFail: true,
  });
  return missingSystemd() ??
    (code === 0 ? undefined : "the hierarchy of control groups cannot be mounted here");
}

const obstacle = await findObstacle();
if (obstacle !== undefined) print(`skipped: ${NAME}: ${obstacle}`);

Deno.test({
  name: NAME,
  ignore: obstacle !== undefined,
  fn: () =>
    checkLeaks(async () => {
      const config = "intercept: { interfaces: [r0], families: [ipv4] }\ntimeouts: { drain: 2s }\n";
      await using box = await SystemdBox.make({
        "usr/bin/tproxy": tproxyCommand()[0],
        "etc/tproxy/tproxy.yaml": { text: config },
      });
      await tryFirstBoot(await box.boot());
      await box.cut();
      await trySecondBoot(await box.boot());
    }),
});
