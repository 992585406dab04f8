/** The gateway on one arm, and a second router in the LAN (field cases 13 and 14). */
import type { Field } from "../../laboratory/field/field.ts";
import { fieldTest } from "../../laboratory/field/field.ts";
import { FIELD } from "../../laboratory/field/places.ts";
import { both, every } from "../../laboratory/field/probes.ts";
import { chain, table } from "../../laboratory/field/rules.ts";

/** The main router, 10.77.1.254, and the branch's, 10.77.1.253, stand on the LAN with everybody else. */
async function shareLan({ lab, places }: Field): Promise<void> {
  const lan = await lab.addNamespace("lan");
  await lan.ip("link add br0 type bridge\nlink set br0 up");
  const join = async (host: Field["lab"]["router"], far: string, commands: string) => {
    await lan.ip(`link add p${far} type veth peer name ${far} netns ${host.name}
link set p${far} master br0
link set p${far} up`);
    await host.ip(`link set ${far} up\n${commands}`);
  };
  await lab.client.ip("link del c0");
  await join(
    lab.router,
    "r0",
    `addr add ${FIELD.lan[4]}/24 dev r0\naddr add ${FIELD.lan[6]}/64 dev r0 nodad`,
  );
  await join(
    lab.client,
    "c0",
    `addr add ${FIELD.client[4]}/24 dev c0
addr add ${FIELD.client[6]}/64 dev c0 nodad
route add default via ${FIELD.lan[4]}
route add default via ${FIELD.lan[6]}`,
  );
  await join(places.other, "o0", "addr add 10.77.1.254/24 dev o0\naddr add fd77:1::fe/64 dev o0 nodad");
  await join(places.private, "b0", "addr add 10.77.1.253/24 dev b0\naddr add fd77:1::fd/64 dev b0 nodad");
  await places.private.ip("addr add 10.9.0.1/32 dev lo");
}

const ONE_ARM = `ip route replace default via 10.77.1.254
ip -6 route replace default via fd77:1::fe
sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.r0.send_redirects=0`;

const MASQUERADE = table("nat", chain("nat", "postrouting srcnat", "oifname r0 masquerade"));

fieldTest("one arm, masquerading", {
  before: shareLan,
  config: { intercept: { interfaces: ["r0"] } },
  router: `${ONE_ARM}
${MASQUERADE}`,
  probes: every("anycast", 80, "other sees lan"),
});

fieldTest("one arm, source: router", {
  before: shareLan,
  config: { source: "router", intercept: { interfaces: ["r0"] } },
  router: `${ONE_ARM}
${MASQUERADE}`,
  probes: every("anycast", 80, "other sees lan", { anyPort: true }),
});

fieldTest("one arm: answers pass the router by", {
  before: shareLan,
  config: { intercept: { interfaces: ["r0"] } },
  router: ONE_ARM,
  forwarded: "oifname r0",
  probes: every("anycast", 80, "other sees client"),
  different: "answers to the client's address would pass the router by, so that it dials with its own",
});

fieldTest("a branch behind a second router of the LAN", {
  before: shareLan,
  config: { intercept: { interfaces: ["r0"] } },
  router: `ip route add 10.9.0.0/24 via 10.77.1.253
sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.r0.send_redirects=0`,
  forwarded: "oifname r0",
  probes: [
    ...both("10.9.0.1", 80, "private sees client").slice(0, 1),
    ...every("server", 80, "server sees client"),
  ],
});
