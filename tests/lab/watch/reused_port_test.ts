/**
 * Ports that clients use again at once, when their servers have reset the connections before: conntrack takes
 * the next one for the same flow, whose name may have let it go, or which began when nobody watched.
 */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { runClient, serveWatched, startWatcher } from "../../laboratory/watch/watcher.ts";

const OPTIONS = { programs: ["python3", "nft"], forwarding: true };
const RULES = [{ name: "names", domains: [".blocked.test"], action: "block" }];
const BLOCKED = '"www.blocked.test"';
/** Each after each. */
const HOSTS = `${BLOCKED}, "ok.test", ${BLOCKED}, ${BLOCKED}, "ok.test", "ok.test"`;
const RESET = "Connection reset by peer";
const PASSES = `ok, ${RESET}`;
const ENDS = `${RESET}, `;

/** Connects to hosts one after another from each of the ports at once. A host and what it has said each. */
async function connectEach(lab: Lab, family: 4 | 6, hosts: string, ports: string): Promise<string[]> {
  const reports = await runClient(
    lab,
    family,
    `
import threading
ends = []
def work(port):
    for host in (${hosts}):
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET); s.settimeout(9)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("", port)); t = time.time()
        s.connect((address, 80)); s.sendall(head(host, "X: hang up\\r\\n")); first = said(s)
        ends.append((host, t, first + ", " + said(s))); s.close()
threads = [threading.Thread(target=work, args=(port,)) for port in ${ports}]
for t in threads: t.start()
for t in threads: t.join()
for end in ends: report(*end)`,
  );
  return reports.map(({ name, said }) => `${name}: ${said}`).toSorted();
}

function expected(ports: number): string[] {
  const each = 3 * ports;
  return [...Array(each).fill(`ok.test: ${PASSES}`), ...Array(each).fill(`www.blocked.test: ${ENDS}`)];
}

for (const family of [4, 6] as const) {
  for (const masquerade of [false, true]) {
    const nat = masquerade ? ", masqueraded" : "";
    labTest(`IPv${family}${nat}: a port whose connection its server has reset is as good as new`, {
      ...OPTIONS,
      masquerade,
    }, async (lab) => {
      await serveWatched(lab);
      const before = await connectEach(lab, family, `${BLOCKED},`, "range(40000, 40025)");
      assert.deepEqual(before, Array(25).fill(`www.blocked.test: ${PASSES}`));
      const watcher = await startWatcher(lab);
      // Those that have been used before, and others.
      assert.deepEqual(await connectEach(lab, family, HOSTS, "range(40000, 40050)"), expected(50));
      const { watched, watchReleased, watchRefused } = await watcher.count();
      assert.deepEqual([watched, watchReleased], [300, 150]);
      // Where the machine is busy a client repeats what is refused already, and that counts too.
      assert.ok(watchRefused >= 150, `${watchRefused} refused`);
    });
  }
}

labTest("the same with the product, before and after a kill -9", {
  ...OPTIONS,
  masquerade: true,
}, async (lab) => {
  await serveWatched(lab);
  const config = { intercept: { "on-failure": "open" }, rules: RULES, default: "bypass" };
  const first = await startProxy(lab, { config });
  assert.deepEqual(await connectEach(lab, 4, HOSTS, "range(40000, 40020)"), expected(20));
  assert.doesNotMatch(first.log, /cannot have/);
  await first.program.stop("SIGKILL");
  const meanwhile = await connectEach(lab, 4, `${BLOCKED},`, "range(41000, 41020)");
  assert.deepEqual(meanwhile, Array(20).fill(`www.blocked.test: ${PASSES}`));
  const second = await startProxy(lab, { config, install: false });
  assert.deepEqual(await connectEach(lab, 4, HOSTS, "range(41000, 41020)"), expected(20));
  assert.doesNotMatch(second.log, /cannot have/);
});
