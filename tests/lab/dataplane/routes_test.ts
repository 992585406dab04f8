/**
 * Dials by the way that the router would have forwarded a client's packet: two servers of one address, behind
 * two ways out of the router, and rules that send clients by the second one.
 */
import assert from "node:assert/strict";
import {
  EINPROGRESS,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SO_MARK,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../../ffi/consts.ts";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import {
  bindSocket,
  closeFd,
  connectSocket,
  openNonBlocking,
  receive,
  send,
} from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { Answer } from "../../../src/dataplane/asking/answer.ts";
import { RouteBook } from "../../../src/dataplane/routes/route_book.ts";
import { settingsOf } from "../../../src/dataplane/settings.ts";
import { makeSolo } from "../../../src/dataplane/solo.ts";
import { makeTransparent } from "../../../src/dataplane/sockets/transparent.ts";
import { parseIp } from "../../../src/net/ip.ts";
import { check } from "../../../src/net/error.ts";
import { DEFAULT_CONFIG } from "../../../src/config/defaults.ts";
import { createLogger } from "../../../src/log.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { delay } from "../../laboratory/machine/wait.ts";
import type { Namespace } from "../../laboratory/namespace.ts";
import { addSecondWan, SECOND_TABLE, SECOND_WAN } from "../../laboratory/network/second_wan.ts";
import { inNamespace } from "../../laboratory/network/udp_calls.ts";
import { labTest } from "../../laboratory/register.ts";

const PORT = 7000;
const PIN = 8;
/** Addresses beyond both servers. */
const FAR = { 4: "192.0.2.9", 6: "2001:db8:5::9" } as const;
/** A rule that sends the client by the second way. */
const IIF = `iif r0 lookup ${SECOND_TABLE} pref 30000`;
const FAMILIES = [4, 6] as const;
type FamilyNumber = typeof FAMILIES[number];

/** A second way out, r2, servers that say where they are, and what the proxy needs of the kernel. */
async function addSecondWay(lab: Lab): Promise<Namespace> {
  const second = await addSecondWan(lab);
  await lab.router.ip(`
    route add local 0.0.0.0/0 dev lo table 100
    route add local ::/0 dev lo table 100`);
  for (const family of FAMILIES) {
    await lab.router.ip(
      `
      rule add pref 400 fwmark 1/1 iif r1 lookup 100
      rule add pref 400 fwmark 1/1 iif r2 lookup 100`,
      { family },
    );
  }
  // What comes back to a client's address is the proxy's.
  await lab.router.nft(`table inet proxy {
    chain prerouting {
      type filter hook prerouting priority mangle; policy accept;
      socket transparent 1 meta mark set meta mark or 1
    }
  }`);
  for (const [namespace, name] of [[lab.server, "first"], [second, "second"]] as const) {
    await namespace.start(
      ["socat", `TCP6-LISTEN:${PORT},ipv6only=0,fork,reuseaddr`, `SYSTEM:echo ${name}`],
      { listens: PORT },
    );
    for (const family of FAMILIES) {
      const address = family === 4 ? ADDRESSES[4].server : `[${ADDRESSES[6].server}]`;
      await namespace.start(
        [
          "socat",
          `UDP${family}-RECVFROM:${PORT},bind=${address},fork,reuseaddr`,
          `SYSTEM:read line; echo ${name}`,
        ],
      );
    }
  }
  return second;
}

interface Dial {
  /** Instead of the server's address. */
  readonly to?: string;
  readonly family: FamilyNumber;
  readonly type?: number;
  /** "": wherever the kernel likes. */
  readonly source: string;
  readonly port?: number;
  readonly oif: string;
  readonly mark?: number;
  readonly byPort?: boolean;
  /** Nobody asks for routes. */
  readonly simple?: boolean;
  /** Rules of output drop what is new. */
  readonly closed?: boolean;
}

/** The name of the server that answers a dial; or the errno. */
async function dial(lab: Lab, options: Dial): Promise<string> {
  const { family, type = SOCK_STREAM, mark = 0 } = options;
  const destination = { address: parseIp(options.to ?? ADDRESSES[family].server)!, port: PORT };
  const answer = new Answer();
  const client = makeSockaddr();
  writeSockaddr(client, { address: parseIp(ADDRESSES[family].client)!, port: 40_000 });
  const source = options.source === "" ? ADDRESSES[family].client : options.source;
  writeSockaddr(answer.source, { address: parseIp(source)!, port: options.port ?? 0 });
  writeSockaddr(answer.destination, destination);
  const fd = inNamespace(lab.router.name, () => {
    answer.iif = indexOf("r0");
    answer.oif = indexOf(options.oif);
    answer.mark = mark;
    const log = createLogger({ level: "error", format: "text", write() {} });
    const room = { connections: 10, udpSessions: 10 };
    const { context } = makeSolo({ log, settings: settingsOf(DEFAULT_CONFIG, room) });
    if (options.simple !== true) {
      context.shared.routes.write({ byPort: options.byPort === true, priority: 300, mark: PIN });
    }
    context.shared.routes.writeOutput(options.closed === true);
    const book = new RouteBook(context);
    const fd = check(openNonBlocking(answer.destination[0], type), "open socket");
    setInt(fd, SOL_SOCKET, SO_MARK, mark);
    const protocol = type === SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
    check(book.prepare(fd, protocol, client, answer), "prepare");
    makeTransparent(fd, answer.destination[0]);
    if (options.source !== "") check(bindSocket(fd, answer.source), "bind", options.source);
    book.openPassage(fd, protocol, answer);
    const connected = connectSocket(fd, answer.destination);
    if (connected < 0 && connected !== -EINPROGRESS) return connected;
    book.close();
    return fd;
  });
  if (fd < 0) return `errno ${-fd}`;
  if (type === SOCK_DGRAM) send(fd, new TextEncoder().encode("\n"), 1);
  const buffer = new Uint8Array(100);
  let received = 0;
  for (let round = 0; round < 50 && received <= 0; round++) {
    await delay(20);
    received = receive(fd, buffer, buffer.length);
  }
  closeFd(fd);
  return received <= 0 ? "nobody" : new TextDecoder().decode(buffer.subarray(0, received)).trim();
}

function indexOf(name: string): number {
  const [link] = JSON.parse(
    new TextDecoder().decode(
      new Deno.Command("ip", { args: ["-j", "link", "show", name] }).outputSync().stdout,
    ),
  );
  return link.ifindex;
}

/** Both families, TCP and UDP, from the client's address and from the router's own (masquerade). */
async function assertServer(
  lab: Lab,
  wanted: string,
  options: Omit<Dial, "family" | "type" | "source">,
): Promise<void> {
  for (const family of FAMILIES) {
    const own = options.oif === "r2" ? SECOND_WAN[family].router : ADDRESSES[family].wan;
    for (const source of [own, ADDRESSES[family].client]) {
      for (const type of [SOCK_STREAM, SOCK_DGRAM]) {
        const text = JSON.stringify({ ...options, family, source, type });
        assert.equal(await dial(lab, { ...options, family, source, type }), wanted, text);
      }
    }
  }
}

async function rule(lab: Lab, text: { 4: string; 6: string } | string): Promise<void> {
  for (const family of FAMILIES) {
    await lab.router.ip(`rule ${typeof text === "string" ? text : text[family]}`, { family });
  }
}

const PROGRAMS = ["socat"];

labTest("a dial leaves by the provider that a rule by mark, interface or source chose for the client", {
  programs: PROGRAMS,
}, async (lab) => {
  await addSecondWay(lab);
  await assertServer(lab, "first", { oif: "r1" });
  await assertServer(lab, "first", { oif: "r1", simple: true });
  const from = {
    4: `from ${ADDRESSES[4].client}/24 lookup ${SECOND_TABLE} pref 30000`,
    6: `from ${ADDRESSES[6].client}/64 lookup ${SECOND_TABLE} pref 30000`,
  };
  const byMark = `fwmark 0x20000/0xff0000 lookup ${SECOND_TABLE} pref 30000`;
  for (const [text, mark] of [[IIF, 0], [byMark, 0x20000], [from, 0]] as const) {
    const words = (verb: string) =>
      typeof text === "string" ? `${verb} ${text}` : { 4: `${verb} ${text[4]}`, 6: `${verb} ${text[6]}` };
    await rule(lab, words("add"));
    await assertServer(lab, "second", { oif: "r2", mark });
    await assertServer(lab, "second", { oif: "r2", mark, byPort: true });
    await rule(lab, words("del"));
  }
  // The test can fail: without the book the dial takes the router's own way.
  await rule(lab, `add ${IIF}`);
  const plain = { family: 4, oif: "r2", source: SECOND_WAN[4].router } as const;
  assert.equal(await dial(lab, { ...plain, simple: true }), "first");
  await rule(lab, `del ${IIF}`);
  // What was forwarded by the first way goes on by it.
  await assertServer(lab, "first", { oif: "r1" });
});

labTest("a dial takes the one of several equal ways that the client's packet took", {
  programs: PROGRAMS,
}, async (lab) => {
  const second = await addSecondWay(lab);
  for (const namespace of [lab.server, second]) {
    await namespace.ip(`
      addr add ${FAR[4]}/32 dev lo
      addr add ${FAR[6]}/128 dev lo nodad`);
  }
  for (const family of FAMILIES) {
    await lab.router.ip(
      `route add default nexthop via ${ADDRESSES[family].server} dev r1 nexthop via ${
        SECOND_WAN[family].host
      } dev r2`,
      { family },
    );
    for (const [oif, wanted] of [["r1", "first"], ["r2", "second"]] as const) {
      for (const source of [SECOND_WAN[family].router, ADDRESSES[family].wan, ADDRESSES[family].client]) {
        assert.equal(await dial(lab, { family, to: FAR[family], oif, source }), wanted, `${oif} ${source}`);
      }
    }
    await lab.router.ip("route del default", { family });
  }
});

labTest("a dial passes rules of output that let nothing new out, with the addresses that it has", {
  programs: [...PROGRAMS, "conntrack"],
  masquerade: true,
}, async (lab) => {
  await addSecondWay(lab);
  await lab.server.ip(`
    route add 10.77.1.0/24 via ${ADDRESSES[4].wan}
    route add fd77:1::/64 via ${ADDRESSES[6].wan}`);
  await lab.router.nft(`table inet strict {
    chain output {
      type filter hook output priority filter; policy drop;
      ct state established,related accept
      icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    }
  }`);
  let port = 41_000;
  for (const family of FAMILIES) {
    const { client, wan } = ADDRESSES[family];
    for (const type of [SOCK_STREAM, SOCK_DGRAM]) {
      for (const source of [client, wan, ""]) {
        const options = { family, type, source, oif: "r1", simple: true, port: source === "" ? 0 : ++port };
        const text = JSON.stringify(options);
        assert.notEqual(await dial(lab, options), "first", `${text}: the rules have no effect`);
        assert.equal(await dial(lab, { ...options, closed: true }), "first", text);
        // A second flow with the same addresses and ports, while conntrack remembers the first.
        assert.equal(await dial(lab, { ...options, closed: true }), "first", `${text} again`);
      }
    }
  }
  // No NAT, although the router masquerades: the entry says what was dialled.
  const { stdout } = await lab.router.run(["conntrack", "-L", "-p", "tcp", "--orig-port-dst", `${PORT}`]);
  assert.match(stdout, new RegExp(`src=${ADDRESSES[4].client} .* dst=${ADDRESSES[4].client} `));
  // Entries do not pile up: those of the refused dials as they would without us, none for long.
  const entries = stdout.split("\n").filter((line) => line.startsWith("tcp"));
  for (const entry of entries) assert.match(entry, /^tcp\s+6\s+\d{1,3}\s/, entry);
  // One that nobody has answered makes room where the table is full.
  const silent = "203.0.113.99";
  const options = {
    family: 4,
    type: SOCK_STREAM,
    source: ADDRESSES[4].client,
    oif: "r1",
    simple: true,
    port: 42_000,
  } as const;
  await dial(lab, { ...options, to: silent, closed: true });
  const waiting = await lab.router.run(["conntrack", "-L", "-p", "tcp", "--orig-dst", silent]);
  assert.match(waiting.stdout, /SYN_SENT/);
  assert.doesNotMatch(waiting.stdout, /ASSURED/);
});
