/** The end of a proxy, however it ends: on-failure holds at once and exactly, for every kind of flow. */
import assert from "node:assert/strict";
import { inField, startFieldProxy } from "../../laboratory/field/field.ts";
import { every } from "../../laboratory/field/probes.ts";
import { chain, table } from "../../laboratory/field/rules.ts";
import { labTest } from "../../laboratory/register.ts";

const OUTCOMES = {
  open: { TCP: "server sees wan", UDP: "server sees wan" },
  reset: { TCP: "refused", UDP: "refused" },
  drop: { TCP: "silence", UDP: "silence" },
} as const;

for (const onFailure of ["open", "reset", "drop"] as const) {
  labTest(`kill -9 of the proxy, on-failure: ${onFailure}, nothing is lost in between`, {
    masquerade: true,
  }, async (lab) => {
    await inField(lab, {
      router: table("fw", chain("filter", "forward 0", "oifname r2 reject")),
    }, async (field) => {
      const proxy = await startFieldProxy(field, { config: { intercept: { "on-failure": onFailure } } });
      const probes = every("server", 80, "server sees wan");
      for (const probe of probes) assert.equal(await probe.run(field.places), probe.expected, probe.name);
      await lab.openGuard();
      proxy.program.signal("SIGKILL");
      await proxy.program.waitForExit();
      for (const probe of every("server", 80, "", { silenceMs: 800 })) {
        const expected = OUTCOMES[onFailure][probe.name.startsWith("TCP") ? "TCP" : "UDP"];
        assert.equal(await probe.run(field.places), expected, `${probe.name}, at once`);
      }
      const { stdout } = await lab.router.run(["nft", "list", "tables"]);
      assert.doesNotMatch(stdout, /transparent_proxy_live/);
    });
  });
}
