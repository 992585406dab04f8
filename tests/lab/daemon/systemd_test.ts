/**
 * The start at boot under a real systemd that is process 1 of namespaces; the same as
 * tests/vm/systemd_test.ts, in a minute.
 */
import assert from "node:assert/strict";
import { tryFirstBoot, trySecondBoot } from "../../vm/support/systemd_scenario.ts";
import { FETCH } from "../../vm/support/systemd.ts";
import { checkLeaks } from "../../laboratory/machine/leaks.ts";
import { print } from "../../laboratory/machine/print.ts";
import { tproxyCommand } from "../../laboratory/proxy/proxy.ts";
import { SystemdBox, systemdObstacle } from "../../laboratory/machine/systemd_box.ts";

const NAME =
  "systemd starts what install --boot has written, keeps it running, and starts it at the next boot";

const OWN_FILTER = "a unit that refuses capset runs a proxy that says what it could not give up";

const obstacle = await systemdObstacle();
for (const name of [NAME, OWN_FILTER]) if (obstacle !== undefined) print(`skipped: ${name}: ${obstacle}`);

function makeBox(): Promise<SystemdBox> {
  const config = "intercept: { interfaces: [r0], families: [ipv4] }\ntimeouts: { drain: 2s }\n";
  return SystemdBox.make({
    "usr/bin/tproxy": tproxyCommand()[0],
    "etc/tproxy/tproxy.yaml": { text: config },
  });
}

Deno.test({
  name: NAME,
  ignore: obstacle !== undefined,
  fn: () =>
    checkLeaks(async () => {
      await using box = await makeBox();
      await tryFirstBoot(await box.boot());
      await box.cut();
      await trySecondBoot(await box.boot());
    }),
});

const DROP_IN = `[Service]
SystemCallFilter=~capset
StandardError=append:/run/said
`;

Deno.test({
  name: OWN_FILTER,
  ignore: obstacle !== undefined,
  fn: () =>
    checkLeaks(async () => {
      await using box = await makeBox();
      const shell = await box.boot();
      await shell.run("network", "until systemctl -q is-active network-up; do sleep 0.5; done");
      await shell.run("install", "tproxy install --boot auto", { seconds: 120 });
      const folder = "/etc/systemd/system/tproxy.service.d";
      await shell.run(
        "drop-in",
        `mkdir ${folder}; echo '${DROP_IN}' >${folder}/own.conf; systemctl daemon-reload`,
      );
      await shell.run("start", "systemctl start tproxy", { seconds: 180 });
      await shell.run("traffic", FETCH);
      const said = await shell.run("privileges", "grep privileges: /run/said");
      assert.match(
        said,
        /caps net_admin,net_raw,net_bind_service, .*fewer capabilities: Operation not permitted/,
      );
      assert.doesNotMatch(said, /Linux 5\.17/);
      await box.cut();
    }),
});
