/** Neighbours under one roof: what one client does with TCP costs another nothing but his turn. */
import assert from "node:assert/strict";
import type { Lab } from "../../laboratory/lab.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { listSockets } from "../../laboratory/network/sockets.ts";
import { type Nginx, startNginx } from "../../laboratory/programs/nginx.ts";
import { scriptCommand } from "../../laboratory/programs/script.ts";
import type { Program } from "../../laboratory/program.ts";
import { type ConfigText, startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["curl", "nginx", "prlimit", "ss"];
/** Descriptors as procd gives them. */
const FEW = { wrapper: ["prlimit", "--nofile=4096:4096"] };
const NEIGHBOUR = "10.77.1.3";
const FETCHES = 200;
/** Quiet and busy times, by turns; an odd number, for the median. */
const ROUNDS = 3;
/** The crowd's sockets that may be left when the neighbour counts as alone. */
const FEW_LEFT = 50;
/**
 * The kernel's tick (CONFIG_HZ=250): so long a thread that wakes may wait for one that has a processor, and
 * beside a crowd the few there are have more to do. A page that takes a millisecond meets that once.
 */
const TURN_MS = 4;

/** A crowd of connections from the client's own address. */
interface Crowd {
  readonly count: number;
  readonly port: number;
  readonly saying?: string;
  readonly targets?: readonly string[];
}

async function startCrowd(lab: Lab, { count, port, saying = "", targets }: Crowd): Promise<Program> {
  const words = ["10.77.1.2", `${port}`, `${count}`, saying, ...targets ?? ["203.0.113.2"]];
  const program = await lab.client.start([
    "prlimit",
    "--nofile=20000:20000",
    ...scriptCommand("tcp_crowd.ts", words),
  ]);
  await program.waitForOutput("dialled", { timeoutMs: 20_000 });
  return program;
}

/** Milliseconds that the neighbour waited for small pages, each over a connection of its own, sorted. */
async function waits(lab: Lab, nginx: Nginx, fetches = FETCHES): Promise<number[]> {
  // One curl, so that the times are not those of starting programs; it opens a new connection each time.
  const { stdout, stderr } = await lab.client.run([
    "curl",
    "-sSm20",
    "--interface",
    NEIGHBOUR,
    "-HConnection: close",
    "-w%{stderr}%{http_code} %{time_total}\\n",
    "-o/dev/null",
    `${nginx.url(4)}?[1-${fetches}]`,
  ], { timeoutMs: 60_000, mayFail: true });
  const lines = `${stdout}${stderr}`.trimEnd().split("\n");
  const answered = lines.filter((line) => line.startsWith("200 "));
  assert.equal(answered.length, fetches, lines.slice(0, 5).join("\n"));
  return answered.map((line) => Number(line.split(" ")[1]) * 1000).sort((a, b) => a - b);
}

const p99 = (times: readonly number[]) => times[Math.ceil(times.length * 0.99) - 1];

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Gives a count once it grows no more: what a crowd costs that is there, not one that comes. */
async function settled(count: () => Promise<number>): Promise<number> {
  for (let last = -1;;) {
    const now = await count();
    if (now <= last) return now;
    last = now;
    await delay(300);
  }
}

/** Asserts what a crowd costs the neighbour. `held`: the crowd's sockets in the proxy. */
async function assertFair(
  lab: Lab,
  held: string,
  crowd: (lab: Lab) => Promise<Program>,
  config: ConfigText = {},
): Promise<void> {
  await lab.client.ip(`addr add ${NEIGHBOUR}/24 dev c0`);
  // The server's own buffers are not what is measured; all namespaces share one bound on TCP's memory.
  await lab.server.writeSysctl({ "net.ipv4.tcp_wmem": "4096 16384 65536" });
  const nginx = await startNginx(lab, { accessLog: false });
  await lab.server.run(["truncate", "-s", "10M", `${lab.directory}/large`]);
  await startProxy(lab, { ...FEW, config });
  await waits(lab, nginx); // warm
  const count = async () => (await listSockets(lab.router, held)).length;
  const quiet: number[] = [];
  const busy: number[] = [];
  // One after the other, so that what else the machine does meets both.
  for (let round = 0; round < ROUNDS; round++) {
    quiet.push(p99(await waits(lab, nginx)));
    const program = await crowd(lab);
    const sockets = await settled(count);
    assert.ok(sockets > 500, `the proxy has ${sockets} of the crowd's connections`);
    busy.push(p99(await waits(lab, nginx)));
    await program.stop("SIGKILL");
    await until(async () => await count() < FEW_LEFT, { what: "the crowd to be gone", timeoutMs: 20_000 });
  }
  const inWords = (values: readonly number[]) => values.map((value) => value.toFixed(1)).join(", ");
  const told = `p99 ${inWords(quiet)} ms alone, ${inWords(busy)} ms beside the crowd`;
  assert.ok(median(busy) <= 2 * median(quiet) + TURN_MS, told);
}

labTest("run: 3,000 dead dials of one client cost another nothing", { programs: PROGRAMS }, async (lab) => {
  // As a blackhole beyond the WAN: nobody answers, and nobody says so.
  await lab.server.nft(`table inet silent {
    chain input { type filter hook input priority 0; policy accept; ip daddr 203.0.113.64/26 drop; }
  }`);
  const dead = Array.from({ length: 60 }, (_, i) => `203.0.113.${64 + i}`);
  await lab.server.ip(dead.map((address) => `addr add ${address}/32 dev lo`).join("\n"));
  await lab.server.writeSysctl({ "net.ipv4.conf.all.arp_ignore": 0 });
  await assertFair(
    lab,
    "state syn-sent dport = 81",
    (lab) => startCrowd(lab, { count: 3_000, port: 81, targets: dead }),
  );
});

labTest(
  "run: 3,000 idle connections of one client cost another nothing",
  { programs: PROGRAMS },
  async (lab) => {
    await assertFair(lab, "state established dport = 80", async (lab) => {
      const program = await startCrowd(lab, { count: 3_000, port: 80 });
      await program.waitForOutput("connected 3000", { timeoutMs: 20_000 });
      return program;
    });
  },
);

labTest(
  "run: 800 unread downloads of one client cost another nothing",
  { programs: PROGRAMS },
  async (lab) => {
    await assertFair(lab, "state established dport = 80", async (lab) => {
      const saying = "GET /files/large HTTP/1.1\r\nHost: x\r\n\r\n";
      const program = await startCrowd(lab, { count: 800, port: 80, saying });
      await delay(2_000);
      return program;
    });
  },
);

labTest(
  "run: 3,000 heads of one client that have no end cost another nothing",
  { programs: PROGRAMS },
  async (lab) => {
    const upstreams = { office: { type: "socks5", address: "203.0.113.2:1080" } };
    // Nobody is dialled before the name is known, and none ever is.
    const rules = [{ domains: [".office.example"], action: "proxy", upstream: "office" }];
    const crowd = (lab: Lab) =>
      startCrowd(lab, { count: 3_000, port: 80, saying: "GET / HTTP/1.1\r\nHost: a.office.exa" });
    await assertFair(lab, "state established sport = 80", crowd, { upstreams, rules });
  },
);
