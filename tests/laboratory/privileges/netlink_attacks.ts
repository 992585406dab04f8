/** The kernel's firewall and routing under attack, by the ways of a proxy that has been taken over. */
import { receive, sendWithFlags } from "../../../ffi/sockets/socket.ts";
import { AttributeWriter } from "../../../src/netlink/attribute.ts";
import { NetlinkConnection } from "../../../src/netlink/connection.ts";
import { batchFrame, nftRequest } from "../../../src/netlink/nft/message.ts";
import { NftBatch } from "../../../src/netlink/nft/batch.ts";
import { addRoute } from "../../../src/netlink/route/route.ts";
import { addRule, type RoutingRule } from "../../../src/netlink/route/rule.ts";
import {
  netlinkServer,
  openServed,
  tellLimits,
  useNetlinkServer,
} from "../../../src/netlink/served/server.ts";
import { openNetlink } from "../../../src/netlink/transport.ts";
import { TABLE_NAME } from "../../../src/constants.ts";

/** Tables of others, one for each attack. */
export const OTHERS = ["one", "two", "three", "four", "five"] as const;

const NETFILTER = 12;
const FOREIGN_RULE: RoutingRule = {
  family: "ipv4",
  priority: 77,
  protocol: 50,
  table: 254,
  mark: 0x10000,
  mask: 0x10000,
};
const LOCALHOST = { family: "ipv4", bytes: Uint8Array.of(192, 0, 2, 0) } as const;

/** Attacks by name, in their order. Each throws what it is refused with. */
export const NETLINK_ATTACKS: Readonly<Record<string, () => unknown>> = {
  "change what is its own": () => commit(new NftBatch().addTable({ family: "inet", name: TABLE_NAME })),
  "delete a table of others": () => commit(deletion("one")),
  "delete one amid much of its own": () => commit(longBatch("two")),
  "delete one by a socket of its own": () => withoutServer(() => commit(deletion("three"))),
  "delete one by the server's socket": () => deleteDirectly("four"),
  "add a routing rule of priority 0": () =>
    addTo((route) => addRule(route, { ...FOREIGN_RULE, priority: 0 })),
  "add one for all packets": () => addTo((route) => addRule(route, { ...FOREIGN_RULE, mark: 0, mask: 0 })),
  "add one after it has named others' marks its own": () => {
    tellLimits({ marks: 0x10000, table: 254, port: 1 });
    addTo((route) => addRule(route, FOREIGN_RULE));
  },
  "add a route to main": () =>
    addTo((route) =>
      addRoute(route, {
        family: "ipv4",
        table: 254,
        type: "local",
        protocol: 50,
        scope: 254,
        outLinkIndex: 1,
        destination: { address: LOCALHOST, length: 24 },
      })
    ),
  "set a link down": () => addTo(setLoopbackDown),
  "flush the rule set": flushAll,
};

function deletion(name: typeof OTHERS[number]): NftBatch {
  return new NftBatch().deleteTable({ family: "inet", name });
}

/** Makes a batch so long that it goes to the server as a file. */
function longBatch(name: typeof OTHERS[number]): NftBatch {
  const batch = new NftBatch();
  for (let count = 0; count < 2000; count++) batch.addTable({ family: "inet", name: TABLE_NAME });
  return batch.deleteTable({ family: "inet", name });
}

function commit(batch: NftBatch): void {
  using netfilter = openNetlink("netfilter");
  batch.commit(netfilter);
}

function addTo(work: (route: NetlinkConnection) => void): void {
  using route = openNetlink("route");
  work(route);
}

function withoutServer(work: () => void): void {
  const server = netlinkServer();
  useNetlinkServer(-1);
  try {
    work();
  } finally {
    useNetlinkServer(server);
  }
}

/** Sends on what the server has opened: the kernel asks for the sender's capabilities, too. */
function deleteDirectly(name: typeof OTHERS[number]): void {
  if (netlinkServer() < 0) return commit(deletion(name));
  const opened = openServed({ protocol: NETFILTER });
  if (typeof opened === "number") throw new Error(`errno ${-opened}`);
  const bytes = new Uint8Array(65536);
  const connection = new NetlinkConnection({
    send: (datagram) => sendWithFlags(opened.fd, Uint8Array.from(datagram), 0),
    receive() {
      const received = receive(opened.fd, bytes, bytes.length);
      return received < 0 ? received : bytes.subarray(0, received);
    },
    close() {},
  });
  deletion(name).commit(connection);
}

/** struct ifinfomsg: lo, with IFF_UP among the flags that change, and not set. */
function setLoopbackDown(route: NetlinkConnection): void {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setInt32(4, 1, true);
  view.setUint32(12, 1, true);
  route.execute({ type: 16, body }, { operation: "set down", object: "lo" });
}

/** NFT_MSG_DELTABLE without a name, for all families. */
function flushAll(): void {
  using netfilter = openNetlink("netfilter");
  const request = nftRequest("table", "delete", {
    family: undefined,
    attributes: new AttributeWriter().finish(),
  });
  netfilter.batch([{ request, purpose: { operation: "flush", object: "the rule set" } }], batchFrame());
}
