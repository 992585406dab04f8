/** `tproxy explain` for who may not read the kernel's rules. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { asNobody } from "../../laboratory/programs/nobody.ts";
import { startProxy, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

/** The single file unpacks once for nobody. */
const UNPACKING_MS = 60_000;

labTest("explain tells nothing of rules that it may not read", {
  programs: ["setpriv"],
  netlinkOnly: "rules of iptables are not followed at all",
}, async (lab) => {
  await startProxy(lab);
  const { client, server } = ADDRESSES[4];
  const question = ["explain", "-c", writeConfig(lab), "--from", client, "--to", `${server}:7000`];
  assert.match((await tproxy(lab, question)).stdout, /^end: the proxy relays it/m);
  const ask = (...more: string[]) =>
    lab.router.run([...asNobody(lab), ...tproxyCommand(), ...question, ...more], {
      mayFail: true,
      timeoutMs: UNPACKING_MS,
    });
  const { code, stdout } = await ask();
  assert.equal(code, 3, stdout);
  assert.match(stdout, /^warning: the rules of the kernel could not be read: .*EPERM.*try sudo$/m);
  assert.match(stdout, /^end: cannot be told \(the rules of the kernel may not be read\)$/m);
  assert.doesNotMatch(stdout, /no rule meets it|server sees/);
  const { end, passes, certain, installed, path, route } = JSON.parse((await ask("--json")).stdout);
  assert.deepEqual([end, passes, certain], ["unknown", false, false]);
  assert.deepEqual([installed, path, route], [null, null, null]);
  const rules = await ask("--rules-only");
  assert.equal(rules.code, 0, rules.stderr);
});
