/**
 * Random rules with names, random flows of clients, and what becomes of them: as a person reads the rules, in
 * ten lines, and as the client sees it.
 * @module
 */
import { crypto as cryptoFrame, packet } from "../../unit/sniff/quic/client.ts";
import { entry, hello, serverName } from "../../unit/sniff/tls/hello.ts";
import { ADDRESSES, type Lab } from "../lab.ts";
import type { Random } from "../proxy/policies.ts";

const PORTS = [7000, 7001] as const;
const PATTERNS = ["one.example", "*.one.example", ".two.example", "a.three.example"] as const;
/** Names that clients say. */
export const NAMES = [
  "one.example",
  "a.one.example",
  "two.example",
  "a.b.two.example",
  "a.three.example",
  "Four.example.",
];
const NETWORKS = ["10.77.1.0/24", "fd77:1::/64", "192.0.2.0/24"] as const;

/** Ways in which a client begins. */
export const TCP_KINDS = ["http", "tls", "plain", "nameless"] as const;
export const UDP_KINDS = ["quic", "datagram"] as const;
type Kind = typeof TCP_KINDS[number] | typeof UDP_KINDS[number];
type Action = "block" | "direct" | "proxy" | "bypass";

/** A rule. */
export interface NamedRule {
  readonly name: string;
  readonly action: Action;
  readonly upstream?: string;
  readonly domains?: readonly string[];
  readonly ports?: readonly number[];
  readonly from?: readonly string[];
  readonly protocol?: "tcp" | "udp";
}

/** A flow to the server. */
export interface NamedFlow {
  readonly family: 4 | 6;
  readonly port: number;
  readonly kind: Kind;
  readonly name: string;
  /** The client's port; 0: any. */
  readonly source: number;
}

/** Draws a rule. */
export function randomRule(
  random: Random,
  place: number,
  actions: readonly Action[],
  upstreams: readonly string[] = ["office"],
): NamedRule {
  const action = random.one(actions);
  const some = <T>(list: readonly T[]) => list.filter(() => random.below(2) === 0);
  const domains = some(PATTERNS);
  const ports = some(PORTS);
  return {
    name: `r${place}`,
    action,
    ...action === "proxy" ? { upstream: random.one(upstreams) } : {},
    ...domains.length === 0 ? {} : { domains },
    ...ports.length === 0 ? {} : { ports },
    ...random.below(4) > 0 ? {} : { from: [random.one(NETWORKS)] },
    ...random.below(4) > 0 ? {} : { protocol: random.one(["tcp", "udp"] as const) },
  };
}

/** Draws a flow. */
export function randomFlow(random: Random, kinds: readonly Kind[], source: number): NamedFlow {
  const kind = random.one(kinds);
  return { family: random.one([4, 6]), port: random.one(PORTS), kind, name: random.one(NAMES), source };
}

/** The name that a flow has; null: none. */
export function nameOf({ kind, name }: NamedFlow): string | null {
  const hasName = kind === "http" || kind === "tls" || kind === "quic";
  return hasName ? name.toLowerCase().replace(/\.$/, "") : null;
}

/** Tells whether it is of UDP. */
export function isUdp({ kind }: NamedFlow): boolean {
  return kind === "quic" || kind === "datagram";
}

/** Answer of the rules to a flow. */
export interface Said {
  readonly action: Action;
  /** The name of the rule. */
  readonly rule: string;
  /** Actions that it may end by whatever its name is: what the kernel alone knows. */
  readonly open: readonly Action[];
}

/** The ten lines. */
export function readRules(rules: readonly NamedRule[], otherwise: Action, flow: NamedFlow): Said {
  const { family, port } = flow;
  const name = nameOf(flow);
  const isNamed = (pattern: string) =>
    name !== null && (name === pattern.replace(/^\./, "") ||
      (/^[*.]/.test(pattern) && name.endsWith(pattern.replace(/^\*?/, "").replace(/^\.?/, "."))));
  const isFrom = (network: string) => network === (family === 4 ? "10.77.1.0/24" : "fd77:1::/64");
  const met = rules.filter(({ ports, from, protocol }) =>
    (ports === undefined || ports.includes(port)) && (from === undefined || from.some(isFrom)) &&
    (protocol === undefined || (protocol === "udp") === isUdp(flow))
  );
  const last = met.findIndex(({ domains }) => domains === undefined);
  const open = last < 0 ? [...met, { action: otherwise }] : met.slice(0, last + 1);
  // Where it ends in the same way whatever its name is nobody reads that.
  const reads = open.some(({ action }) => action !== open[0].action);
  const rule = reads
    ? met.find(({ domains }) => domains === undefined || domains.some(isNamed))
    : met.at(last < 0 ? met.length : last);
  return {
    action: rule?.action ?? otherwise,
    rule: rule?.name ?? "default",
    open: open.map(({ action }) => action),
  };
}

/** Answers whoever says something with the address that it has come from. */
const SERVER = `import socket, threading
def serve(port):
    listener = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=100)
    while True:
        connection, peer = listener.accept()
        threading.Thread(target=answer, args=(connection, peer), daemon=True).start()
def answer(connection, peer):
    try:
        if connection.recv(65536): connection.sendall(peer[0].encode())
        while connection.recv(65536): pass # a close with bytes unread would be a reset
        connection.close()
    except OSError: pass
def echo(family, address, port):
    s = socket.socket(family, socket.SOCK_DGRAM); s.bind((address, port))
    while True:
        _, peer = s.recvfrom(65536); s.sendto(peer[0].encode(), peer)
for port in ${JSON.stringify(PORTS)}:
    threading.Thread(target=echo, args=(socket.AF_INET, "${ADDRESSES[4].server}", port)).start()
    threading.Thread(target=echo, args=(socket.AF_INET6, "${ADDRESSES[6].server}", port)).start()
    threading.Thread(target=serve, args=(port,)).start()`;

/** Makes the flows of its argument, and prints what each has heard; "" where it was refused or reset. */
const CLIENT = `import json, socket, ssl, sys
def words(flow):
    if flow["kind"] == "http": return f"GET / HTTP/1.1\\r\\nHost: {flow['name']}\\r\\n\\r\\n".encode()
    if flow["kind"] == "plain": return b"hello"
    if flow["kind"] == "datagram": return b"hello"
    if flow["kind"] == "quic": return bytes.fromhex(flow["hello"])
    context = ssl.create_default_context()
    context.check_hostname = False
    out = ssl.MemoryBIO()
    name = flow["name"].rstrip(".") if flow["kind"] == "tls" else None
    try: context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError: pass
    return out.read()
heard = []
for flow in json.loads(sys.argv[1]):
    family = socket.AF_INET6 if ":" in flow["address"] else socket.AF_INET
    kind = socket.SOCK_DGRAM if flow["kind"] in ("quic", "datagram") else socket.SOCK_STREAM
    said = words(flow) # a busy machine takes its time
    try:
        with socket.socket(family, kind) as s:
            s.settimeout(5); s.bind(("", flow["source"])); s.connect((flow["address"], flow["port"]))
            s.sendall(said); heard.append(s.recv(100).decode() or "end of file")
    except ConnectionError: heard.append("")
    except TimeoutError: heard.append("silence")
print(json.dumps(heard))`;

/** Starts the server that they go to. */
export async function serveFlows(lab: Lab): Promise<void> {
  await lab.server.start(["python3", "-c", SERVER], { listens: PORTS[1] });
}

/** Makes the flows, one after another. The end of each: `block`, `own`, `proxy`, or what was amiss. */
export async function makeFlows(lab: Lab, flows: readonly NamedFlow[]): Promise<string[]> {
  const all = flows.map((flow) => ({
    ...flow,
    address: ADDRESSES[flow.family].server,
    ...flow.kind === "quic" ? { hello: quicHello(flow.name.replace(/\.$/, "")).toHex() } : {},
  }));
  const { stdout } = await lab.client.run(["python3", "-c", CLIENT, JSON.stringify(all)]);
  const heard: string[] = JSON.parse(stdout);
  return heard.map((text) => {
    if (text === "") return "block";
    if (text === "silence" || text === "end of file") return text;
    return [ADDRESSES[4].client, ADDRESSES[6].client].some((own) => text.endsWith(own)) ? "own" : "proxy";
  });
}

/** The end that the client sees. */
export function seenEnd({ action }: Said): string {
  return action === "direct" || action === "bypass" ? "own" : action;
}

function quicHello(name: string): Uint8Array<ArrayBuffer> {
  return packet(cryptoFrame(0, hello([serverName(entry(name))])));
}
