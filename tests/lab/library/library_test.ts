/** mod.ts: another program makes a transparent proxy with it. */
import assert from "node:assert/strict";
import { usesIptables } from "../../laboratory/proxy/backend.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { startNginx } from "../../laboratory/programs/nginx.ts";
import { PROXY_PORT, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const PROJECT = new URL("../../../", import.meta.url).pathname;

labTest(
  "TransparentListener and dialTransparent make a proxy",
  { programs: ["curl", "nginx"] },
  async (lab) => {
    const nginx = await startNginx(lab, { ports: [80] });
    // A program that does not tell the rules of iptables that it runs is only asked where they need not know.
    const config = usesIptables() ? { intercept: { "on-failure": "drop" } } : {};
    await tproxy(lab, ["install", "-c", writeConfig(lab, config)]);
    const argv = [`${PROJECT}scripts/deno`, "run", "-A", `${PROJECT}tests/lab/library/library_program.ts`];
    const program = await lab.router.start(argv, { listens: PROXY_PORT });
    const { client, server } = ADDRESSES[4];
    const { stdout } = await lab.client.run([
      "curl",
      "-sSfm5",
      "-w",
      "%{local_port}",
      "-H",
      "Connection: close",
      nginx.url(4),
    ]);
    assert.match(stdout, /^hello\n/);
    const access = await nginx.waitForAccess(4);
    assert.equal(access.client, client);
    assert.equal(`${access.clientPort}`, stdout.replace("hello\n", ""));
    assert.ok(program.output.includes(`${client}:${access.clientPort} wants ${server}:80`), program.output);
  },
);
