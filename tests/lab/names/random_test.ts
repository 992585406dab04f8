/** Random rules with names and random flows: each ends as a person reads the rules, in ten lines. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { startMicrosocks } from "../../laboratory/upstreams/proxies.ts";
import { labTest } from "../../laboratory/register.ts";
import { Random } from "../../laboratory/proxy/policies.ts";

const PORT = 1080;
const PORTS = [7000, 7001] as const;
const PATTERNS = ["one.example", "*.one.example", ".two.example", "a.three.example"] as const;
const NAMES = [
  "one.example",
  "a.one.example",
  "two.example",
  "a.b.two.example",
  "a.three.example",
  "Four.example.",
];
const KINDS = ["http", "tls", "plain", "nameless"] as const;
const POLICIES = 20;
const FLOWS = 8;

interface Rule {
  readonly name: string;
  readonly action: string;
  readonly upstream?: string;
  readonly domains?: readonly string[];
  readonly ports?: readonly number[];
  readonly from?: readonly string[];
}

interface Flow {
  readonly family: 4 | 6;
  readonly port: number;
  readonly kind: typeof KINDS[number];
  readonly name: string;
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
for port in ${JSON.stringify(PORTS)}: threading.Thread(target=serve, args=(port,)).start()`;

/** Makes the flows of its argument, and prints what each has heard; "" where it was refused or reset. */
const CLIENT = `import json, socket, ssl, sys
def words(flow):
    if flow["kind"] == "http": return f"GET / HTTP/1.1\\r\\nHost: {flow['name']}\\r\\n\\r\\n".encode()
    if flow["kind"] == "plain": return b"hello"
    context = ssl.create_default_context()
    context.check_hostname = False
    out = ssl.MemoryBIO()
    name = flow["name"].rstrip(".") if flow["kind"] == "tls" else None
    try: context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError: pass
    return out.read()
heard = []
for flow in json.loads(sys.argv[1]):
    try:
        with socket.create_connection((flow["address"], flow["port"]), 5) as s:
            s.sendall(words(flow)); heard.append(s.recv(100).decode())
    except ConnectionError: heard.append("")
print(json.dumps(heard))`;

function randomRule(random: Random, place: number): Rule {
  const action = random.one(["block", "direct", "proxy"]);
  const some = <T>(list: readonly T[]) => list.filter(() => random.below(2) === 0);
  const domains = some(PATTERNS);
  const ports = some(PORTS);
  return {
    name: `r${place}`,
    action,
    ...action === "proxy" ? { upstream: "office" } : {},
    ...domains.length === 0 ? {} : { domains },
    ...ports.length === 0 ? {} : { ports },
    ...random.below(4) > 0 ? {} : { from: [random.one(["10.77.1.0/24", "fd77:1::/64", "192.0.2.0/24"])] },
  };
}

/** The ten lines. */
function endOf(rules: readonly Rule[], otherwise: string, { family, port, kind, name: said }: Flow): string {
  const name = kind === "http" || kind === "tls" ? said.toLowerCase().replace(/\.$/, "") : null;
  const isNamed = (pattern: string) =>
    name !== null && (name === pattern.replace(/^\./, "") ||
      (/^[*.]/.test(pattern) && name.endsWith(pattern.replace(/^\*?/, "").replace(/^\.?/, "."))));
  const isFrom = (network: string) => network === (family === 4 ? "10.77.1.0/24" : "fd77:1::/64");
  const rule = rules.find(({ domains, ports, from }) =>
    (domains === undefined || domains.some(isNamed)) && (ports === undefined || ports.includes(port)) &&
    (from === undefined || from.some(isFrom))
  );
  return rule?.action ?? otherwise;
}

async function endsOf(lab: Lab, flows: readonly Flow[]): Promise<string[]> {
  const all = flows.map((flow) => ({ ...flow, address: ADDRESSES[flow.family].server }));
  const { stdout } = await lab.client.run(["python3", "-c", CLIENT, JSON.stringify(all)]);
  const heard: string[] = JSON.parse(stdout);
  return heard.map((text) => {
    if (text === "") return "block";
    return [ADDRESSES[4].client, ADDRESSES[6].client].some((own) => text.endsWith(own)) ? "direct" : "proxy";
  });
}

labTest(
  "Random flows end as random rules with names say",
  { programs: ["python3", "microsocks"] },
  async (lab) => {
    await lab.server.start(["python3", "-c", SERVER], { listens: PORTS[1] });
    await startMicrosocks(lab, { port: PORT, asks: false });
    const dataplane = await startDataplaneProgram(lab);
    const counts: Record<string, number> = {};
    for (let seed = 0; seed < POLICIES; seed++) {
      const random = new Random(seed);
      const rules = Array.from({ length: 1 + random.below(4) }, (_, place) => randomRule(random, place));
      const otherwise = random.one(["block", "direct", "proxy"]);
      await dataplane.adopt({
        rules,
        default: otherwise,
        ...otherwise === "proxy" ? { "default-upstream": "office" } : {},
        upstreams: { office: { type: "socks5", address: `${ADDRESSES[4].server}:${PORT}` } },
      });
      const flows = Array.from({ length: FLOWS }, (): Flow => ({
        family: random.one([4, 6]),
        port: random.one(PORTS),
        kind: random.one(KINDS),
        name: random.one(NAMES),
      }));
      const ends = await endsOf(lab, flows);
      for (const [i, flow] of flows.entries()) {
        const expected = endOf(rules, otherwise, flow);
        counts[expected] = (counts[expected] ?? 0) + 1;
        assert.equal(ends[i], expected, JSON.stringify({ seed, flow, rules, otherwise }));
      }
    }
    for (const end of ["block", "direct", "proxy"]) assert.ok(counts[end] > 20, JSON.stringify(counts));
    const { counters } = await dataplane.count();
    assert.ok(
      counters.sniffTls > 5 && counters.sniffHttp > 5 && counters.sniffNone > 5,
      JSON.stringify(counters),
    );
  },
);
