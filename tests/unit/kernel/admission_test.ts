import assert from "node:assert/strict";
import { describeLack, readAdmission, warnAdmission } from "../../../src/kernel/admission.ts";
import { EINVAL, ENOENT } from "../../../src/net/errno.ts";
import { OperationError } from "../../../src/net/error.ts";
import { configWith } from "./support/view.ts";

Deno.test("describeLack() names the part that the kernel lacks, and OpenWrt's package of it", () => {
  const rule = { operation: "add rule", object: "question/3", errno: ENOENT };
  const lacks = (missingModule: string) => describeLack(new OperationError({ ...rule, missingModule }));
  assert.equal(
    lacks("nfnetlink_log"),
    "the kernel lacks nfnetlink_log (CONFIG_NETFILTER_NETLINK_LOG) or nft_log (CONFIG_NFT_LOG); " +
      "on OpenWrt: kmod-nfnetlink-log",
  );
  assert.match(lacks("nft_tproxy"), /nft_tproxy .*kmod-nft-tproxy$/);
  assert.match(
    describeLack(new OperationError(rule)),
    /^the kernel refuses it: Cannot add rule "question\/3"/,
  );
  const table = new OperationError({ operation: "add table", object: "trial", errno: EINVAL });
  assert.match(describeLack(table), /Linux 5\.12/);
});

Deno.test("warnAdmission() speaks where flows are taken at another place than the config asks for", () => {
  const early = readAdmission(configWith({ admission: "early" }));
  assert.deepEqual([early.inForce, warnAdmission(early)], ["early", undefined]);
  const iptables = readAdmission(configWith({ admission: "forward-path" }, { backend: "iptables" }));
  assert.equal(
    warnAdmission(iptables),
    "intercept.admission: early is in force, since the backend iptables cannot do otherwise",
  );
});
