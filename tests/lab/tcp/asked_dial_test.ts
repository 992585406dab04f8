/** The dial of a SYN that has asked: as the router has made it, and from where `source` says. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { startCapture } from "../../laboratory/network/capture.ts";
import { attempt } from "../../laboratory/network/dial.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["socat", "ss", "ip", "nft", "python3", "tcpdump"];

for (const family of [4, 6] as const) {
  labTest(
    `IPv${family}: a dial has the MSS, the TOS and the mark that the router's rules have given the SYN`,
    {
      programs: PROGRAMS,
    },
    async (lab) => {
      await serve(lab, 7000, "echo said");
      const dscp = family === 4 ? "ip dscp" : "ip6 dscp";
      await lab.router.nft(`table inet administrator {
      chain forward { type filter hook forward priority mangle; policy accept;
        iif "r0" tcp flags syn tcp option maxseg size set 1100 ${dscp} set af41 meta mark set 0x00c00000; }
      chain output { type filter hook output priority 0; policy accept;
        oif "r1" tcp flags syn meta mark & 0xfff00000 == 0x00c00000 counter comment "marked"; }
    }`);
      await startDataplaneProgram(lab);
      const capture = await startCapture(lab.server, {
        link: "s0",
        filter: "tcp[13] == 2 or (ip6 and ip6[53] == 2)",
        verbose: true,
      });
      const { heard } = await attempt(lab, { family, port: 7000 });
      assert.equal(heard, "said\n");
      const syns = (await capture.stop()).join("\n");
      assert.match(syns, /mss 1100/);
      assert.match(syns, family === 4 ? /tos 0x88/ : /class 0x88/);
      const { stdout } = await lab.router.run(["nft", "list", "chain", "inet", "administrator", "output"]);
      assert.match(stdout, /counter packets 1 .*"marked"/);
    },
  );
}

labTest("a dial's address is what forwarding shows, or the router's: source", {
  programs: PROGRAMS,
}, async (lab) => {
  const tell = "SYSTEM:echo $SOCAT_PEERADDR $SOCAT_PEERPORT";
  await lab.server.start(["socat", "TCP4-LISTEN:7000,fork,reuseaddr", tell], { listens: 7000 });
  const dataplane = await startDataplaneProgram(lab);
  const { client, wan } = ADDRESSES[4];
  const seen = async (source: number) => {
    const { heard } = await attempt(lab, { port: 7000, source });
    return /([\d.]+)\]? (\d+)\n$/.exec(heard)!.slice(1, 3);
  };
  assert.deepEqual(await seen(42000), [client, "42000"]);
  await dataplane.adopt({ source: "client-address" });
  const [address, port] = await seen(42001);
  assert.ok(address === client && port !== "42001", `${address} ${port}`);
  await dataplane.adopt({ source: "router" });
  assert.equal((await seen(42002))[0], wan);
});
