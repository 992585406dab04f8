/**
 * First packets ask the router, on Debian's kernel: TCP and UDP of both families, behind masquerade and an
 * administrator's refusals, and what becomes of flows when the proxy is killed.
 * @module
 */
import assert from "node:assert/strict";
import { browse, complaints, exchange, SERVER, startProxy, withHosts } from "./support/path.ts";
import { PRODUCT_MODULES, productFile, TPROXY } from "./support/product.ts";
import { putPrograms } from "./support/programs.ts";
import { vmTest } from "./support/scenario.ts";
import type { Vm } from "./support/vm.ts";

/** The administrator's rules: masquerade by the incoming interface, a port refused, a closed output. */
const RULES = `nft -f - <<END
table inet fw {
  chain forward { type filter hook forward priority 0; iifname lan0 tcp dport 81 reject; }
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    meta l4proto { 1, 58 } accept # ICMP
  }
  chain output {
    type filter hook output priority 0; policy drop;
    oif lo accept
    ct state established,related accept
    meta l4proto { 1, 58 } accept # ICMP
  }
  chain post { type nat hook postrouting priority srcnat; iifname lan0 oifname wan0 masquerade; }
}
END`;

vmTest("first packets ask on Debian's kernel: masquerade by iif, drops at input and output, kill -9", {
  architecture: "amd64",
  modules: PRODUCT_MODULES,
  files: { [TPROXY]: productFile("amd64") },
  fill: (root) => putPrograms(root, "amd64", ["nft", "nc"]),
}, async (vm) => {
  await vm.run("network", withHosts(`router_between\nserve\n${RULES}`));
  const without = await everything(vm, "without tproxy");
  assert.match(
    without,
    /^192\.0\.2\.1$[^]*^2001:db8::1$[^]*received on 192\.0\.2\.1$[^]*received on 2001:db8::1$/m,
  );
  for (const address of ["192\\.0\\.2\\.2", "\\[2001:db8::2\\]"]) {
    assert.match(without, new RegExp(`^${address}:81: refused\n${address}:82: refused$`, "m"));
  }
  await vm.run("install", "tproxy install");
  await startProxy(vm);
  await vm.run("nothing new leaves the router", withHosts("guard on"));
  assert.equal(await everything(vm, "through the proxy"), without);
  const log = await vm.run("log", "cat /tmp/log");
  assert.doesNotMatch(log, /early/);

  await vm.run("kill", "kill -9 $(cat /tmp/pid)");
  await vm.run("forwarding again", withHosts("guard off"));
  assert.equal(await everything(vm, "after kill -9"), without);
  assert.doesNotMatch(await vm.run("tables", "nft list tables"), /transparent_proxy_live/);
  await vm.run("uninstall", "tproxy uninstall");
  assert.equal(await complaints(vm), "");
});

async function everything(vm: Vm, name: string): Promise<string> {
  // Port 81: the router refuses; 82: nobody listens on the server.
  const urls = [SERVER.ipv4, `[${SERVER.ipv6}]`].flatMap((host) => [`${host}:81`, `${host}:82`]);
  const tries = urls.map((url) =>
    `at client timeout 10 wget -O - http://${url}/ 2>&1 | grep -o refused | sed 's|^|${url}: |'`
  );
  const refused = await vm.run(`${name}: refused`, withHosts(tries.join("\n")), { seconds: 120 });
  return `${await browse(vm, `${name}: browse`)}\n${await exchange(vm, `${name}: datagrams`)}\n${refused}`;
}
