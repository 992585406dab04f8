/** `tproxy status` where no plan can be compared with the kernel: it shows what runs all the same. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { type Proxy, startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const AUTO = { config: { intercept: { interfaces: "auto" } } };

function status(lab: Lab, { configPath }: Proxy, ...options: string[]) {
  return tproxy(lab, ["status", "-c", configPath, ...options], { mayFail: true });
}

labTest(
  "status shows the proxy that runs when the default route is lost",
  { forwarding: true },
  async (lab) => {
    await lab.router.ip(`route add default via ${ADDRESSES[4].server}`);
    const proxy = await startProxy(lab, AUTO);
    assert.equal((await status(lab, proxy, "--running")).code, 0);
    await lab.router.ip("route del default");
    for (const options of [[], ["--running"]]) {
      const { code, stdout, stderr } = await status(lab, proxy, ...options);
      assert.match(stdout, new RegExp(`^proxy: running, pid ${proxy.pid}, answers at \\S+, for `, "m"));
      assert.match(stdout, /^installed: not known/m);
      assert.match(stderr, /^tproxy: .*default route/m);
      assert.equal(code, 1);
    }
    await proxy.program.stop("SIGKILL");
    const { code, stdout } = await status(lab, proxy, "--running");
    assert.match(stdout, /^proxy: none answers at /m);
    assert.equal(code, 3);
    assert.equal((await status(lab, proxy)).code, 1);
  },
);

labTest(
  "status shows the proxy that runs when its config has become wrong, and what it refused",
  {},
  async (lab) => {
    const proxy = await startProxy(lab);
    const right = Deno.readTextFileSync(proxy.configPath);
    Deno.writeTextFileSync(proxy.configPath, right.replace('"interfaces"', '"interfacez"'));
    assert.equal((await tproxy(lab, ["reload", "-c", proxy.configPath], { mayFail: true })).code, 2);
    const { code, stdout, stderr } = await status(lab, proxy);
    assert.match(stdout, new RegExp(`^proxy: running, pid ${proxy.pid}, `, "m"));
    assert.match(stdout, /NOT RELOADED: .*interfacez/);
    assert.match(stderr, /tproxy\.yaml:\d+:\d+: .*interfacez/);
    assert.equal(code, 2);
    const json = JSON.parse((await status(lab, proxy, "--json")).stdout);
    assert.deepEqual([json.proxy.running, json.proxy.holder.pid], [true, proxy.pid]);
    assert.match(json.error, /interfacez/);
  },
);
