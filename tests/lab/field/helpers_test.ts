/** Conntrack helpers that are set in prerouting: active FTP, TFTP (field case 24, F14). */
import { Caller } from "../../laboratory/field/caller.ts";
import { fieldTest } from "../../laboratory/field/field.ts";
import { FIELD, nameOf } from "../../laboratory/field/places.ts";
import { every, type Probe, talk } from "../../laboratory/field/probes.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

/** The client listens at 1025 and says so; then the server dials what it has read. */
const ACTIVE_FTP: Probe = {
  name: "active FTP",
  expected: "the server reads wan, and dials: client sees server",
  async run(places) {
    using control = new Caller(places.client, at(FIELD.server[4], 21));
    const failure = await control.connected(1_500);
    if (failure !== undefined) return failure;
    await control.read(/\n/, 1_500);
    // The helper reads lines that come after one that it has seen.
    control.send("USER anonymous\r\n");
    await control.read(/\n/, 1_500);
    control.send("PORT 10,77,1,2,4,1\r\n");
    const [, address, high, low] =
      /PORT (\d+,\d+,\d+,\d+),(\d+),(\d+)/.exec(await control.read(/PORT.*\n/, 1_500)) ??
        [];
    if (address === undefined) return "nothing";
    const dotted = address.replaceAll(",", ".");
    using data = new Caller(places.server, at(dotted, Number(high) * 256 + Number(low)));
    return `the server reads ${nameOf(dotted)}, and dials: ${await talk(data)}`;
  },
};

/** The server answers from another port. */
const TFTP: Probe = {
  name: "TFTP",
  expected: "answered",
  async run(places) {
    const client = places.client.udp({ family: 4, bind: at(FIELD.client[4], 0) });
    const server = places.server.udp({ family: 4, bind: at(FIELD.server[4], 69) });
    const transfer = places.server.udp({ family: 4, bind: at(FIELD.server[4], 5_000) });
    try {
      client.send("\x00\x01file\x00octet\x00", at(FIELD.server[4], 69));
      const request = await server.receiveWithin(1_500);
      if (request === undefined) return "the request is lost";
      transfer.send("\x00\x03\x00\x01data", request.from);
      return await client.receiveWithin(1_500) === undefined ? "the answer is lost" : "answered";
    } finally {
      for (const socket of [client, server, transfer]) socket.close();
    }
  },
};

fieldTest("active FTP and TFTP by helpers of nft", {
  masquerade: true,
  before: ({ lab, serve }) => Promise.resolve(serve("client", lab.client, [1025], { udp: false })),
  router: `nft -f - <<END
table ip helpers {
  ct helper ftp-standard { type "ftp" protocol tcp; }
  ct helper tftp-standard { type "tftp" protocol udp; }
  chain pre {
    type filter hook prerouting priority filter; policy accept;
    iifname r0 tcp dport 21 ct helper set "ftp-standard"
    iifname r0 udp dport 69 ct helper set "tftp-standard"
  }
}
END`,
  forwarded: "th dport { 21, 69 }",
  probes: [ACTIVE_FTP, TFTP, ...every("server", 80, "server sees wan")],
});

fieldTest("active FTP by the target CT of iptables", {
  masquerade: true,
  programs: ["iptables"],
  before: ({ lab, serve }) => Promise.resolve(serve("client", lab.client, [1025], { udp: false })),
  router: "iptables -t raw -A PREROUTING -i r0 -p tcp --dport 21 -j CT --helper ftp",
  forwarded: "th dport 21",
  probes: [ACTIVE_FTP, ...every("server", 80, "server sees wan")],
});
