/**
 * Watched flows on Debian's kernel: held in a queue of NFQUEUE, and by NFLOG where the kernel has no
 * nft_queue; a proxy that is killed with packets in its queue; an administrator's flow table.
 * @module
 */
import assert from "node:assert/strict";
import { complaints, SERVER, startProxy, withHosts } from "./support/path.ts";
import { installedProduct, missingFile, PRODUCT_MODULES } from "./support/product.ts";
import { putPrograms } from "./support/programs.ts";
import { vmTest } from "./support/scenario.ts";
import type { Vm } from "./support/vm.ts";

const CONFIG = `rules:
  - { name: names, protocol: tcp, domains: [.blocked.test], action: block }
default: bypass
listener: { workers: 1 }
`;
/** Names: one that passes, and one that does not; and a long answer. */
const NAMES = [SERVER.ipv4, `[${SERVER.ipv6}]`].map((url) =>
  `named ok.test ${url}/cgi-bin/who; named www.blocked.test ${url}/cgi-bin/who; named ok.test ${url}/blob | sha256sum`
).join("\n");
const FUNCTIONS = `named() { at client timeout 20 wget -q -O - --header "Host: $1" "http://$2" 2>&1; }`;
/** Four clients at once, one connection after another until there are enough. */
const LOAD = `${FUNCTIONS}
for one in 1 2 3 4; do
  (until [ -e /tmp/enough ]; do named ok.test ${SERVER.ipv4}/cgi-bin/who; done >/tmp/load.$one 2>&1; echo end >>/tmp/load.$one) &
done
`;
/** A head, and 1 MiB behind it: in 17 packets at least, however many segments the kernel joins. */
const UPLOAD = `mkfifo /tmp/open
exec 4<>/tmp/open
become server nc -l -p 81 </tmp/open >/tmp/got 4>&- &
within 50 eval "at server netstat -ltn | grep -q :81"
(printf 'POST / HTTP/1.1\\r\\nHost: ok.test\\r\\n\\r\\n'; sleep 1; cat /www/blob) | at client timeout 60 nc 192.0.2.2 81
wait $!
tail -c 1048576 /tmp/got | sha256sum`;
const QUEUE = "cat /proc/net/netfilter/nfnetlink_queue";
const FLOW_TABLE = `nft -f - <<END || exit 1
table inet fast {
  flowtable ft { hook ingress priority 0; devices = { lan0, wan0 }; }
  chain forward { type filter hook forward priority 0; meta l4proto tcp flow add @ft; }
}
END`;
/**
 * The kernel's own, once: a socket that closes has its packets dropped a moment later, and by then the chain
 * that has queued them is gone with the table of the same process. They are dropped in this way too.
 */
const OF_A_KILL = /WARNING: .* nf_reinject\+/;
const LIVE = "nft list table inet transparent_proxy_live";

vmTest("watched flows on Debian's kernel: NFQUEUE, NFLOG, kill -9, a flow table", {
  architecture: "amd64",
  modules: [...PRODUCT_MODULES, "nfnetlink_queue", "nft_queue", "nf_flow_table_inet", "nft_flow_offload"],
  files: { "etc/tproxy/tproxy.yaml": { text: CONFIG } },
  fill: (root) => {
    root.copy("", installedProduct("amd64"));
    putPrograms(root, "amd64", ["nft"]);
  },
  obstacle: missingFile(installedProduct("amd64")),
}, async (vm) => {
  await vm.run("network", withHosts("router_between\nserve"));
  const blob = await vm.run("sum", "sha256sum </www/blob");
  const decided = ["10.1.0.2", RESET, blob, "fd01::2", RESET, blob].join("\n");
  await vm.run("install", "tproxy install");

  await startProxy(vm);
  assert.match(await vm.run("queued", LIVE), /queue flags bypass to 54176/);
  assert.equal(await browseNames(vm, "by NFQUEUE"), decided);
  const before = await readQueue(vm);
  assert.deepEqual([before.held, before.dropped], [0, 0]);
  assert.ok(before.last >= 6, `only ${before.last} packets were held`);
  assert.equal(await vm.run("a released flow", withHosts(UPLOAD), { seconds: 120 }), blob);
  const passed = (await readQueue(vm)).last - before.last;
  assert.ok(passed > 0 && passed < 5, `${passed} packets of a released flow were held`);

  const state = await vm.run(
    "kill -9 under load",
    withHosts(`${LOAD}sleep 2
kill -STOP $(cat /tmp/pid)
sleep 2
${QUEUE}
kill -9 $(cat /tmp/pid)
sleep 3
touch /tmp/enough
within 900 eval '[ "$(cat /tmp/load.* | grep -c end)" = 4 ]'`),
    { seconds: 120 },
  );
  assert.ok(parseQueue(state).held > 0, `nothing was held when it was killed: ${state}`);
  const load = await vm.run("load", "cat /tmp/load.* | sort | uniq -c");
  assert.match(load, /^\s*\d+ 10\.1\.0\.2\n\s*4 end$/, "each connection got its answer");

  await vm.run("no nft_queue", "rmmod nft_queue");
  await startProxy(vm);
  assert.match(await vm.run("logged", LIVE), /log prefix "h" group 54176/);
  assert.equal(await browseNames(vm, "by NFLOG"), decided);

  // How soon the proxy has made its rules anew depends on who else the processor works for.
  await vm.run(
    "a flow table",
    withHosts(`${FLOW_TABLE}
within 300 eval "grep -q 'the rules follow the network' /tmp/log"`),
    { seconds: 60 },
  );
  assert.equal(await browseNames(vm, "beside a flow table"), decided);
  assert.match(
    await vm.run("relayed", "cat /tmp/log; tproxy doctor 2>&1"),
    /relayed, not watched: a flow table/,
  );
  assert.equal((await complaints(vm)).split("\n").filter((line) => !OF_A_KILL.test(line)).join("\n"), "");
});

const RESET = "wget: error getting response: Connection reset by peer";

function browseNames(vm: Vm, name: string): Promise<string> {
  return vm.run(name, withHosts(`${FUNCTIONS}\n${NAMES}`), { seconds: 120 });
}

/** Packets that are held, those that the kernel could not hand over, and the number of the last. */
async function readQueue(vm: Vm): Promise<Record<"held" | "dropped" | "last", number>> {
  return parseQueue(await vm.run("queue", QUEUE));
}

function parseQueue(text: string): Record<"held" | "dropped" | "last", number> {
  // Number, who has bound it, packets that are held, copy mode and range, dropped, dropped by its user, last.
  const [, , held, , , dropped, , last] = text.trim().split(/\s+/).map(Number);
  return { held, dropped, last };
}
