/** `tproxy upgrade` under a real systemd: the successor is the main process of the service. */
import assert from "node:assert/strict";
import { checkLeaks } from "../../laboratory/machine/leaks.ts";
import { print } from "../../laboratory/machine/print.ts";
import { SystemdBox, systemdObstacle } from "../../laboratory/machine/systemd_box.ts";
import { tproxyCommand } from "../../laboratory/proxy/proxy.ts";
import { FETCH } from "../../vm/support/systemd.ts";

const NAME = "an upgrade under systemd has another main process, in the same service, and no restart";
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
      const shell = await box.boot();
      const show = (property: string) => shell.run(property, `systemctl show tproxy -P ${property}`);
      const wait = (what: string, condition: string) =>
        shell.run(
          what,
          `for i in $(seq 120); do ${condition} && exit 0; sleep 0.5; done; systemctl status tproxy; exit 1`,
          {
            seconds: 120,
          },
        );
      await wait("network", "systemctl -q is-active network-up");
      await shell.run("install", "tproxy install --boot auto", { seconds: 120 });
      await shell.run("start", "systemctl start tproxy", { seconds: 180 });
      const before = await show("MainPID");
      const said = await shell.run("upgrade", "tproxy upgrade", { seconds: 120 });
      const pid = /^pid (\d+) runs/m.exec(said)?.[1];
      await wait("the end of the one before", `[ ! -e /proc/${before} ]`);
      assert.equal(await show("MainPID"), pid, said);
      assert.equal(await show("NRestarts"), "0");
      assert.equal(await show("ActiveState"), "active");
      await shell.run("traffic", FETCH);
      const group = await shell.run("group", `cat /proc/${pid}/cgroup`);
      assert.match(group, /\/tproxy\.service$/m);
      assert.match(await shell.run("status", "tproxy status"), /proxy: running/);
      await shell.run("stop", "systemctl stop tproxy", { seconds: 60 });
      assert.equal((await shell.try("gone", `[ -e /proc/${pid} ]`)).code, 1);
      await box.cut();
    }),
});
