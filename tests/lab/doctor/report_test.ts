/** `tproxy doctor --report`: everything of an install with secrets, and none of them in it. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const SECRETS = {
  password: "correct-horse",
  user: "anna.smith",
  rule: "Annas Tablet",
  upstream: "Headquarters",
  domain: "clinic.example",
  listed: "listed-name.example",
  host: "proxy.corp.example",
  public4: "8.20.30.40",
  public6: "2a00:1450:4001:81b::200e",
  network: "9.9.9.0",
  mac: "02:00:5e:10:ab:cd",
  comment: "Annas phone",
};

labTest("a report for an issue explains the machine, and tells nobody's name, address or secret", {
  programs: [],
  netlinkOnly: "rules by name",
}, async (lab) => {
  const file = (name: string, text: string) => {
    const path = lab.writeFile(name, text);
    Deno.chmodSync(path, 0o600);
    return path;
  };
  const rules = [
    { name: SECRETS.rule, domains: [`*.${SECRETS.domain}`], action: "proxy", upstream: SECRETS.upstream },
    { name: "second", mac: [SECRETS.mac], to: [SECRETS.public4, SECRETS.public6], action: "block" },
    { name: "third", "to-file": file("nets.list", `${SECRETS.network}/24\n`), action: "bypass" },
    { name: "fourth", "domains-file": file("ads.list", `${SECRETS.listed}\n`), action: "block" },
  ];
  const upstreams = {
    [SECRETS.upstream]: {
      type: "socks5",
      address: `${SECRETS.host}:1080`,
      username: SECRETS.user,
      "password-file": file("secret", `${SECRETS.password}\n`),
    },
  };
  const proxy = await startProxy(lab, { config: { rules, upstreams } });
  await lab.router.nft(`table inet others {
    chain forward {
      type filter hook forward priority 10;
      ip daddr ${SECRETS.public4} counter accept comment "${SECRETS.comment}"
      ip6 daddr ${SECRETS.public6} jump more
      ether saddr ${SECRETS.mac} drop
    }
    chain more { tcp dport 25 drop; }
  }`);
  await lab.router.ip(`rule add pref 1000 to ${SECRETS.public4} lookup main`);
  const { stdout } = await tproxy(lab, ["doctor", "--report", "-c", proxy.configPath], { mayFail: true });
  const lower = stdout.toLowerCase();
  for (const [what, secret] of Object.entries(SECRETS)) {
    assert.ok(!lower.includes(secret.toLowerCase()), `${what}: ${secret} in\n${stdout}`);
  }
  assert.ok(!stdout.includes(ADDRESSES[4].wan), "the router's public address");
  assert.doesNotMatch(stdout, /cannot be read/);
  // Its rules are at the top; each part is there, and the same address has one mask.
  assert.match(stdout, /^tproxy doctor --report\nMasked/);
  for (const title of ["program", "machine", "config in effect", "findings", "status"]) {
    assert.match(stdout, new RegExp(`\n== ${title}\n[^=]`));
  }
  const [, mask] = /\n {2}forward: .*ip daddr (ipv4-\d+) .*accept/.exec(stdout)!;
  assert.match(stdout, new RegExp(`ipv4 priority 1000: .*to ${mask}/32 .*\\(made (?:with|by)`));
  assert.match(stdout, /nft: inet others forward \(forward 10 .*\)[^]*\n {2}more: .*dport 25 drop\n/);
  assert.match(stdout, /ipv4 priority 500: fwmark .*\(ours\)/);
  assert.match(stdout, /installed: yes, all is in place[^]*present +routing-rule/);
  assert.match(stdout, /rules\[0\]: .*rule-\d/);
});
