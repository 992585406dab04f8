/**
 * Rule sets of the shape of fw4's, NixOS' and Docker's that cut clients off, and some that only look like it:
 * doctor names the firewall, its remedy is in that firewall's words and helps.
 */
import assert from "node:assert/strict";
import { doctor, echoes, findTrouble } from "../../laboratory/proxy/doctor.ts";
import { type ConfigText, startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { serve } from "../../laboratory/network/sockets.ts";

/** A rule set, what is in the way, and words of it. */
interface Neighbour {
  readonly name: string;
  readonly admission?: "early";
  /** A script. */
  readonly rules: string;
  /** Ids of what is in the way of both families, or of one. */
  readonly ids: readonly string[];
  /** Families that get through. */
  readonly passes: readonly [ipv4: boolean, ipv6: boolean];
  readonly cause?: RegExp;
  readonly remedy?: RegExp;
}

/** In each of both programs of iptables. */
const both = (...rules: string[]) =>
  ["iptables-nft", "ip6tables-nft"].flatMap((program) => rules.map((rule) => `${program} ${rule}`)).join(
    "\n",
  );

const FW4 = (forwardLan: string, inputLan: string) =>
  `nft -f - <<END
table inet fw4 {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname lo accept
    ct state vmap { established : accept, related : accept }
    tcp flags & (fin | syn | rst | ack) == syn jump syn_flood
    meta l4proto ipv6-icmp accept
    iifname r0 jump input_lan
    jump handle_reject
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state vmap { established : accept, related : accept }
    iifname r0 jump forward_lan
    jump handle_reject
  }
  chain handle_reject { meta l4proto tcp reject with tcp reset; reject with icmpx port-unreachable; }
  chain syn_flood { limit rate 25/second burst 50 packets return; drop; }
  chain input_lan { ${inputLan}; }
  chain forward_lan { ${forwardLan}; }
}
END`;

const NIXOS_NFT = (forward: string) =>
  `nft -f - <<END
table inet nixos-fw {
  chain rpfilter {
    type filter hook prerouting priority mangle + 10; policy drop;
    meta nfproto ipv4 udp sport . udp dport { 67 . 68, 68 . 67 } accept comment "DHCPv4 client/server"
    fib saddr . mark . iif oif exists accept
    jump rpfilter-allow
  }
  chain rpfilter-allow { }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname lo accept comment "trusted interfaces"
    ct state vmap { invalid : drop, established : accept, related : accept, new : jump input-allow, untracked : jump input-allow }
    tcp flags & (fin | syn | rst | ack) == syn log prefix "refused connection: " level info
  }
  chain input-allow { tcp dport 22 accept; meta l4proto ipv6-icmp accept; }
  ${forward}
}
END`;

const NIXOS_RPFILTER = both(
  "-t mangle -N nixos-fw-rpfilter",
  "-t mangle -A nixos-fw-rpfilter -m rpfilter --validmark -j RETURN",
  "-t mangle -A nixos-fw-rpfilter -j DROP",
  "-t mangle -A PREROUTING -j nixos-fw-rpfilter",
);

const NEIGHBOURS: readonly Neighbour[] = [
  {
    name: "fw4 without a forwarding from lan to wan",
    rules: FW4("jump handle_reject", "accept"),
    ids: ["forward-chains"],
    passes: [false, false],
    cause: /by the rule "meta l4proto tcp reject" of chain handle_reject.*; OpenWrt's firewall made it$/,
    remedy:
      /^nft insert rule inet fw4 forward iifname r0 oifname r1 accept; to keep it, uci add firewall forwarding/,
  },
  {
    name: "fw4 whose zone lan may not come to the router, taken early",
    admission: "early",
    rules: FW4("accept", "jump handle_reject"),
    ids: ["input-chains"],
    passes: [false, false],
    remedy: /chain-pre\/input\/tproxy\.nft, and then "fw4 reload"$/,
  },
  {
    name: "NixOS' nftables, which checks where packets come from",
    rules: NIXOS_NFT(""),
    ids: [],
    passes: [true, true],
  },
  {
    name: "NixOS' nftables with filterForward",
    rules: NIXOS_NFT(`chain forward {
    type filter hook forward priority filter; policy drop;
    ct state vmap { invalid : drop, established : accept, related : accept, new : jump forward-allow, untracked : jump forward-allow }
  }
  chain forward-allow { icmpv6 type != { router-renumbering, 139 } accept; ct status dnat accept; }`),
    ids: ["forward-chains"],
    passes: [false, false],
    cause: /by its policy.*; NixOS' firewall made it$/,
    remedy: /networking\.firewall\.extraForwardRules = "iifname r0 oifname r1 accept"$/,
  },
  {
    name: "NixOS' iptables, which checks where packets come from",
    rules: NIXOS_RPFILTER,
    ids: [],
    passes: [true, true],
  },
  {
    name: "NixOS' iptables, taken early",
    admission: "early",
    rules: [
      NIXOS_RPFILTER,
      both(
        "-N nixos-fw-log-refuse",
        "-A nixos-fw-log-refuse -j DROP",
        "-N nixos-fw",
        "-A nixos-fw -i lo -j ACCEPT",
        "-A nixos-fw -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        "-A nixos-fw -p tcp --dport 22 -j ACCEPT",
        "-A nixos-fw -p ipv6-icmp -j ACCEPT",
        "-A nixos-fw -j nixos-fw-log-refuse",
        "-A INPUT -j nixos-fw",
      ),
    ].join("\n"),
    ids: ["input-chains", "input-chains"],
    passes: [false, false],
    cause: /the rule "-j DROP" of chain nixos-fw-log-refuse; NixOS' firewall made it$/,
    remedy: /extraCommands = "ip6?tables -I INPUT -m mark --mark 0x1\/0x1 -j ACCEPT"$/,
  },
  {
    name: "Docker, which has set the policy to drop",
    rules: both(
      "-P FORWARD DROP",
      "-N DOCKER",
      "-N DOCKER-USER",
      "-A DOCKER-USER -j RETURN",
      "-A FORWARD -j DOCKER-USER",
      "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-A FORWARD -o docker0 -j DOCKER",
      "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ),
    ids: ["forward-chains", "forward-chains"],
    passes: [false, false],
    cause: /by its policy.*; Docker made it$/,
    remedy: /^ip6?tables-nft -I DOCKER-USER -i r0 -o r1 -j ACCEPT; to keep it, .*"ip-forward-no-drop": true/,
  },
  {
    name: "a table of iptables that is not the first",
    rules: both("-t mangle -A FORWARD -i r0 -p tcp -j DROP"),
    ids: ["forward-chains", "forward-chains"],
    passes: [false, false],
    remedy: /^ip6?tables-nft -t mangle -I FORWARD -i r0 -o r1 -j ACCEPT/,
  },
  {
    name: "rules at the ingress of the clients' interface",
    rules: `nft -f - <<END
table netdev fw4 {
  chain guard { type filter hook ingress device r0 priority 0; tcp dport 7000 drop; }
  chain other { type filter hook ingress device r1 priority 0; tcp dport 7000 drop; }
}
END`,
    ids: ["ingress-chains"],
    passes: [false, false],
    cause:
      /^It refuses clients \(tcp from clients on r0\), by the rule "meta l4proto tcp th dport 7000 drop"/,
    remedy: /^nft insert rule netdev fw4 guard iifname r0 accept/,
  },
  {
    name: "rules that come before all routing",
    rules: both("-t raw -A PREROUTING -i r0 -p tcp --dport 7000 -j DROP"),
    ids: ["prerouting-chains", "prerouting-chains"],
    passes: [false, false],
    cause: /^It refuses clients \(tcp from clients on r0\), by the rule "-i r0 -p tcp --dport 7000 -j DROP"/,
    remedy: /^ip6?tables-nft -t raw -I PREROUTING -i r0 -j ACCEPT/,
  },
  {
    name: "rules that come behind all routing",
    rules: both("-t mangle -A POSTROUTING -o r1 -p tcp --dport 7000 -j DROP"),
    ids: ["postrouting-chains", "postrouting-chains"],
    passes: [false, false],
    remedy: /^ip6?tables-nft -t mangle -I POSTROUTING -o r1 -j ACCEPT/,
  },
  {
    name: "rules that nobody can judge",
    rules: both("-t mangle -P PREROUTING DROP", "-t mangle -A PREROUTING -m length --length 0:9 -j ACCEPT"),
    ids: ["prerouting-chains", "prerouting-chains"],
    passes: [false, false],
    cause: /^It may refuse clients /,
  },
];

/** Takes away what all of them have made, and leaves the rest. */
const CLEAN = `nft delete table inet fw4 2>/dev/null || true
nft delete table netdev fw4 2>/dev/null || true
nft delete table inet nixos-fw 2>/dev/null || true
for program in iptables-nft ip6tables-nft; do
  for table in filter mangle raw; do
    $program -t $table -F; $program -t $table -X
    for chain in INPUT OUTPUT FORWARD PREROUTING POSTROUTING; do $program -t $table -P $chain ACCEPT 2>/dev/null || true; done
  done
done`;

for (const admission of ["forward-path", "early"] as const) {
  labTest(`doctor names each neighbour's firewall and its remedy helps, ${admission}`, {
    programs: ["socat", "iptables-nft", "ip6tables-nft"],
  }, async (lab) => {
    const config: ConfigText = { intercept: { admission, ports: [7000] } };
    const shell = (script: string) => lab.router.run(["sh", "-ec", script]);
    await serve(lab, 7000, "cat");
    await startProxy(lab, { config });
    for (const one of NEIGHBOURS.filter((one) => (one.admission ?? "forward-path") === admission)) {
      const { name, rules, ids, passes, cause = /^/, remedy = /^/ } = one;
      await shell(rules);
      assert.deepEqual(await echoes(lab), passes, name);
      const report = await doctor(lab, { config });
      const blocking = report.findings.filter(({ blocks }) => blocks);
      assert.deepEqual(blocking.map(({ id }) => id), ids, `${name}: ${JSON.stringify(blocking)}`);
      assert.equal(report.ready, ids.length === 0, name);
      for (const finding of blocking) {
        assert.match(finding.cause, cause, name);
        assert.match(finding.remedy, remedy, name);
        // What comes before "to keep it" is commands.
        await shell(
          finding.remedy.replace(/^Nothing, if .*?; else /, "").split("; to keep")[0].replaceAll(
            "; and ",
            "\n",
          ),
        );
      }
      if (ids.length > 0) {
        assert.deepEqual(await echoes(lab), [true, true], name);
        assert.equal((await doctor(lab, { config })).ready, true, name);
      }
      await shell(CLEAN);
    }
  });
}

labTest("doctor names another transparent proxy that takes the flows", {
  programs: ["socat", "iptables-nft"],
}, async (lab) => {
  const config: ConfigText = { intercept: { ports: [7000], families: ["ipv4"] } };
  await serve(lab, 7000, "cat");
  await startProxy(lab, { config });
  const shell = (script: string) => lab.router.run(["sh", "-ec", script]);
  await shell(`ip rule add fwmark 1 lookup 200
    ip route add local default dev lo table 200
    iptables-nft -t mangle -A PREROUTING -i r0 -p tcp -j TPROXY --on-port 12345 --tproxy-mark 1`);
  assert.equal((await echoes(lab))[0], false);
  const report = await doctor(lab, { config });
  assert.deepEqual(report.troubles.filter((trouble) => trouble.startsWith("!")), [
    "! warning prerouting-chains",
  ]);
  const { cause, remedy } = findTrouble(report, "prerouting-chains");
  assert.match(cause, /^It takes flows of clients .*the rule "-i r0 -p tcp -j TPROXY"/);
  assert.match(remedy, /another transparent proxy's/);
  await shell("iptables-nft -t mangle -F");
  assert.equal((await echoes(lab))[0], true);
  assert.equal((await doctor(lab, { config })).ready, true);
});
