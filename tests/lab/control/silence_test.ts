/** A proxy that is there and says nothing, and one that may not be asked: no command waits for ever. */
import assert from "node:assert/strict";
import { asNobody } from "../../laboratory/programs/nobody.ts";
import { startProxy, tproxy, tproxyCommand } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

labTest(
  "of a proxy that is stopped commands say within seconds that it does not answer: exit code 3",
  {},
  async (lab) => {
    const proxy = await startProxy(lab);
    const metrics = `${lab.directory}/tproxy.prom`;
    await tproxy(lab, ["metrics", "write", metrics, "-c", proxy.configPath]);
    proxy.program.signal("SIGSTOP");
    try {
      const commands = [
        ["connections"],
        ["connections", "--follow"],
        ["connections", "close", "--older", "0s", "--yes"],
        ["metrics"],
        ["metrics", "write", metrics],
        ["reload"],
      ];
      const begun = performance.now();
      await Promise.all(commands.map(async (command) => {
        const { code, stderr } = await tproxy(lab, [...command, "-c", proxy.configPath], {
          mayFail: true,
          timeoutMs: 60_000,
        });
        const what = `${command.join(" ")}: ${stderr}`;
        assert.equal(code, 3, what);
        assert.match(stderr, /nothing comes for 5 s\. It is stopped, or hangs/, what);
        assert.ok(performance.now() - begun < 30_000, what);
      }));
      assert.throws(() => Deno.statSync(metrics), Deno.errors.NotFound, "it tells of what was");
      const second = await tproxy(lab, ["run", "-c", proxy.configPath], { mayFail: true, timeoutMs: 60_000 });
      assert.equal(second.code, 1, second.stderr);
      assert.match(second.stderr, /control socket ".*": a proxy that does not answer has it\. Set control/);
      const status = await tproxy(lab, ["status", "--running", "-c", proxy.configPath], {
        mayFail: true,
        timeoutMs: 60_000,
      });
      assert.equal(status.code, 3);
      assert.match(status.stdout, /which does not answer/);
    } finally {
      proxy.program.signal("SIGCONT");
    }
    assert.equal((await tproxy(lab, ["reload", "-c", proxy.configPath])).code, 0);
    assert.equal((proxy.log.match(/ reloaded: /g) ?? []).length, 1, "the one that was given up came about");
  },
);

labTest("who may not ask is told who may", { programs: ["setpriv"] }, async (lab) => {
  const proxy = await startProxy(lab);
  const nobody = [...asNobody(lab), ...tproxyCommand()];
  for (const command of ["connections", "metrics", "reload"]) {
    const { code, stderr } = await lab.router.run([...nobody, command, "-c", proxy.configPath], {
      mayFail: true,
      timeoutMs: 60_000, // the single file unpacks once for nobody
    });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /EACCES \(Permission denied\)\. The control socket is root's: try sudo\n$/);
  }
});
