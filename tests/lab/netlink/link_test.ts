/** Links and addresses of src/netlink/route against the real kernel and ip, both ways. */
import assert from "node:assert/strict";
import { enterNetwork } from "../../../ffi/process.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { check } from "../../../src/net/error.ts";
import { parsePrefix } from "../../../src/net/ip.ts";
import { addAddress, deleteAddress, listAddresses } from "../../../src/netlink/route/address.ts";
import {
  createVeth,
  deleteLink,
  findLink,
  listLinks,
  moveLink,
  setLinkUp,
} from "../../../src/netlink/route/link.ts";
import { openNetlink } from "../../../src/netlink/transport.ts";

import { currentNetwork, inNewNetwork, json, labTest, lacks, run } from "./new_network.ts";
labTest("createVeth(), addAddress() and their like do what ip shows", () => {
  using connection = openNetlink("route");
  const home = currentNetwork();
  const other = inNewNetwork(currentNetwork);
  try {
    createVeth(connection, { name: "a0", peer: "b0", peerNamespaceFd: other });
    const link = findLink(connection, "a0");
    assert.ok(link);
    setLinkUp(connection, link.index);
    const address = { linkIndex: link.index, prefix: parsePrefix("192.0.2.1/24")! };
    const address6 = { linkIndex: link.index, prefix: parsePrefix("2001:db8::1/64")!, noDad: true };
    addAddress(connection, address);
    addAddress(connection, address6);
    const [shown] = json("address", "show", "dev", "a0") as [
      { flags: string[]; addr_info: { local: string; prefixlen: number }[] },
    ];
    assert.ok(shown.flags.includes("UP"));
    const shownAddresses = shown.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`);
    assert.deepEqual(shownAddresses.filter((text) => !text.startsWith("fe80")), [
      "192.0.2.1/24",
      "2001:db8::1/64",
    ]);
    assert.deepEqual(listAddresses(connection, "ipv4"), [address]);
    assert.throws(() => addAddress(connection, address), /Cannot add address "192.0.2.1\/24": EEXIST/);
    deleteAddress(connection, address);
    assert.deepEqual(listAddresses(connection, "ipv4"), []);
    check(enterNetwork(other), "enter");
    assert.deepEqual(json("link", "show").map(({ ifname }) => ifname), ["lo", "b0"]);
    check(enterNetwork(home), "return");
    createVeth(connection, { name: "c0", peer: "d0" });
    moveLink(connection, findLink(connection, "d0")!.index, { fd: other });
    setLinkUp(connection, link.index, { up: false });
    assert.deepEqual(listLinks(connection).map(({ name, kind, up }) => [name, kind, up]), [
      ["lo", "", false],
      ["a0", "veth", false],
      ["c0", "veth", false],
    ]);
    deleteLink(connection, link.index);
    assert.deepEqual(json("link", "show").map(({ ifname }) => ifname), ["lo", "c0"]);
    assert.throws(() => deleteLink(connection, link.index), /Cannot delete interface "\d+": ENODEV/);
  } finally {
    check(enterNetwork(home), "return");
    closeFd(other);
    closeFd(home);
  }
});

Deno.test({
  name: "createVeth() and moveLink() find a namespace by the id of a process",
  ignore: lacks !== "",
  fn: async () => {
    const sleeper = new Deno.Command("unshare", { args: ["--net", "sleep", "30"] }).spawn();
    try {
      const home = Deno.readLinkSync("/proc/thread-self/ns/net");
      const deadline = Date.now() + 5000;
      while (Deno.readLinkSync(`/proc/${sleeper.pid}/ns/net`) === home && Date.now() < deadline);
      inNewNetwork(() => {
        using connection = openNetlink("route");
        createVeth(connection, { name: "a0", peer: "b0", peerNamespacePid: sleeper.pid });
        createVeth(connection, { name: "c0", peer: "d0" });
        moveLink(connection, findLink(connection, "d0")!.index, { pid: sleeper.pid });
        assert.deepEqual(listLinks(connection).map(({ name }) => name), ["lo", "a0", "c0"]);
        const there = run("nsenter", ["-t", `${sleeper.pid}`, "-n", "ip", "-j", "link"]);
        assert.deepEqual(JSON.parse(there).map(({ ifname }: { ifname: string }) => ifname), [
          "lo",
          "b0",
          "d0",
        ]);
      });
    } finally {
      sleeper.kill();
      await sleeper.status;
    }
  },
});
