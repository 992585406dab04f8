/** Servers behind a PROXY header say who the client is. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { attempt } from "../../laboratory/network/dial.ts";
import { startHaproxy, startNginxStream } from "../../laboratory/upstreams/proxies.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { through } from "../../laboratory/upstreams/through.ts";
import { labTest } from "../../laboratory/register.ts";

const PORT = 8443;
const SOURCE = 42000;

labTest("nginx and HAProxy learn of the client by PROXY headers of both versions and families", {
  programs: ["python3", "haproxy", "nginx", "curl"],
}, async (lab) => {
  const nginx = await startNginxStream(lab, { port: PORT });
  const dataplane = await startDataplaneProgram(lab);
  const each = async (see: (family: 4 | 6, seen: string, port: number) => Promise<void>) => {
    let port = SOURCE;
    for (const proxyProtocol of ["v1", "v2"] as const) {
      for (const family of [4, 6] as const) {
        await dataplane.adopt(through(lab, { type: "forward", port: PORT, proxyProtocol, family }));
        port++;
        const { client, server } = ADDRESSES[family];
        await see(family, `${client} ${port} ${server} 7000\n`, port);
      }
    }
  };
  await each(async (family, seen, source) => {
    assert.equal((await attempt(lab, { family, port: 7000, source })).heard, seen);
  });
  await nginx.stop();
  await startHaproxy(lab, { port: PORT });
  await each(async (family, seen, source) => {
    const { server } = ADDRESSES[family];
    const url = family === 4 ? `http://${server}:7000/` : `http://[${server}]:7000/`;
    const { stdout } = await lab.client.run(["curl", "-sSgm5", "--local-port", `${source + 100}`, url]);
    assert.equal(stdout, seen.replace(` ${source} `, ` ${source + 100} `));
  });
});
