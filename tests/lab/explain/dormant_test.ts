/** Tables that the kernel keeps and does not run: nothing that explain tells of goes through them. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

labTest("explain leaves out tables that are dormant, and no others", { forwarding: true }, async (lab) => {
  const proxy = await startProxy(lab, { config: { default: "bypass" } });
  const explained = async () => {
    const ends = ["--from", ADDRESSES[4].client, "--to", `${ADDRESSES[4].server}:80`, "--in", "r0"];
    const { stdout } = await tproxy(lab, ["explain", "-c", proxy.configPath, "--json", ...ends], {
      mayFail: true,
    });
    const { end, certain, path } = JSON.parse(stdout);
    return [end, certain, path.some(({ chain }: { chain: string }) => chain.includes("other"))];
  };
  const table = (flags: string) =>
    `table inet other {
    ${flags}
    chain forward { type filter hook forward priority 10; policy drop; }
  }`;
  await lab.router.nft(table(""));
  assert.deepEqual(await explained(), ["dropped", true, true]);
  await lab.router.nft(`delete table inet other\n${table("flags dormant;")}`);
  assert.deepEqual(await explained(), ["forwarded", true, false]);
});
