/**
 * The start at boot under a real systemd that is process 1 of namespaces; the same as
 * tests/vm/systemd_test.ts, in a minute.
 */
import { tryFirstBoot, trySecondBoot } from "../../vm/support/systemd_scenario.ts";
import { checkLeaks } from "../../laboratory/machine/leaks.ts";
import { print } from "../../laboratory/machine/print.ts";
import { tproxyCommand } from "../../laboratory/proxy/proxy.ts";
import { SystemdBox, systemdObstacle } from "../../laboratory/machine/systemd_box.ts";

const NAME =
  "systemd starts what install --boot has written, keeps it running, and starts it at the next boot";

const obstacle = await systemdObstacle();
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
