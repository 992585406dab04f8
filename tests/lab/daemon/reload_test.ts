/**
 * SIGHUP while connections come and go: a good config comes into force whole, a bad one changes nothing, and
 * no connection notices either.
 *
 * ```
 *   curl, again and again ──┐                    ┌ :80    nginx: a page, and a file that takes the whole test
 *   a slow download, echoes ├─ router (tproxy) ──┼ :7000  echo
 *   probes of each reload ──┘                    └ :7101  tells from which address it is reached
 *                                                  :7102
 * ```
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { FrozenThread, workerThreads } from "../../laboratory/machine/frozen_thread.ts";
import { countDescriptorKinds, residentBytes } from "../../laboratory/machine/procfs.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";
import { connectClient, serve, socatServer } from "../../laboratory/network/sockets.ts";
import type { Program } from "../../laboratory/program.ts";
import { type Nginx, startNginx } from "../../laboratory/programs/nginx.ts";
import { usesIptables } from "../../laboratory/proxy/backend.ts";
import {
  backendPrograms,
  type ConfigText,
  type Proxy,
  startProxy,
  tproxy,
  writeConfig,
} from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["curl", "nginx", "socat", "nft", "ip", "sysctl"];
const MIB = 1 << 20;
const RELOADS = 50;
/**
 * Garbage that V8 has not collected yet; what programs of iptables write is read as text, over and over. It
 * grows no more.
 */
const MOST_GROWTH = (usesIptables() ? 100 : 40) * MIB;
/** src/daemon/daemon.ts gives back after three seconds what only the start or a reload has needed. */
const SETTLED_MS = 4_000;
const ECHO_PORT = 7000;
/** Each good config refuses one of them. */
const PROBED_PORTS = [7101, 7102] as const;
/** Both ends of the router that a server may see. */
const SEEN = { client: ADDRESSES[4].client, router: ADDRESSES[4].wan } as const;

/** A config that can be told from the one before: by the port that it refuses, and by whom servers see. */
function goodConfig(round: number): { config: ConfigText; refused: number; open: number; seen: string } {
  const source = round % 4 < 2 ? "client" : "router";
  const [refused, open] = round % 2 === 0 ? PROBED_PORTS : [...PROBED_PORTS].reverse();
  const rules = [{ name: "probe", action: "block", protocol: "tcp", ports: [refused] }];
  return { config: { source, rules, listener: { workers: 2 } }, refused, open, seen: SEEN[source] };
}

/** A fault of a config, and what is said of it. */
interface Fault {
  readonly name: string;
  /** undefined: there is no file. */
  readonly text: string | undefined;
  readonly said: (path: string) => string;
}

const FAULTS: readonly Fault[] = [
  { name: "no YAML", text: "version: 1\nrules: [\n", said: (path) => `${path}:3:1: ` },
  { name: "an unknown key", text: "version: 1\ntimeouts:\n  conect: 3s\n", said: (path) => `${path}:3:3: ` },
  { name: "a bad value", text: "version: 1\nsource: nobody\n", said: (path) => `${path}:2:9: ` },
  { name: "no file", text: undefined, said: (path) => `Cannot read config "${path}": ENOENT ` },
  {
    name: "a change that needs a restart",
    // Nor is it planned: here the defaults' interfaces could not.
    text: "version: 1\nlistener:\n  port: 50081\n",
    said: (path) => `${path}:3:3: `,
  },
];

/** Asks for a reload, and gives what is logged then, from the line on that answers. */
async function reload({ program }: Proxy, answer: string): Promise<string> {
  const before = program.stderr.length;
  program.signal("SIGHUP");
  await until(() => program.stderr.slice(before).includes(answer), { what: `"${answer}"`, timeoutMs: 20_000 })
    .catch((error) => {
      throw new Error(`${error.message}; it said:\n${program.stderr.slice(before)}`);
    });
  return program.stderr.slice(before);
}

/** Tells each client from which address it comes. */
function tellAddresses(lab: Lab, port: number): Promise<Program> {
  const listener = `TCP4-LISTEN:${port},fork,reuseaddr`;
  return lab.server.start(["socat", listener, "SYSTEM:echo $SOCAT_PEERADDR"], { listens: port });
}

/**
 * Connects once, and gives what the server says; `refused` where the kernel refuses, `reset` where the proxy
 * does.
 */
async function probe(lab: Lab, port: number): Promise<string> {
  const argv = ["socat", "-d", "-t5", "-u", socatServer(4, port), "-"];
  const { code, stdout, stderr } = await lab.client.run(argv, { mayFail: true });
  if (/Connection refused/.test(stderr)) return "refused";
  if (/Connection reset/.test(stderr)) return "reset";
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

/** New connections, one after another, as long as the file `stop` is not there. */
function keepConnecting(lab: Lab, url: string): Promise<Program> {
  const once = `curl -sfgm10 -o/dev/null '${url}' && echo ok || echo "failed with $?"`;
  return lab.client.start(["sh", "-c", `while [ ! -e ${lab.directory}/stop ]; do ${once}; done`]);
}

/** A connection on which each line that goes out must come back, over the whole test. */
class Echo {
  #sent = "";
  #writing = true;
  readonly #work: Promise<void>;

  constructor(readonly program: Program) {
    this.#work = this.#write();
    this.#work.catch(() => {}); // told by check()
  }

  static async open(lab: Lab, family: 4 | 6): Promise<Echo> {
    return new Echo(await connectClient(lab, ECHO_PORT, { family }));
  }

  async #write(): Promise<void> {
    for (let number = 0; this.#writing; number++) {
      const line = `${number} ${randomBytes(12).toString("hex")}\n`;
      this.#sent += line;
      await this.program.write(line);
      await delay(20);
    }
  }

  /** Ends it; fails if a byte is missing or wrong. */
  async check(): Promise<void> {
    this.#writing = false;
    await this.#work;
    await this.program.closeInput();
    assert.equal(await this.program.waitForExit(), 0, this.program.stderr);
    assert.equal(this.program.stdout, this.#sent);
    assert.ok(this.#sent.length > 1000, `${this.#sent.length} bytes only`);
  }
}

/** A file that comes slowly, and has not come whole when the test ends. */
class Download {
  static async begin(lab: Lab, nginx: Nginx, family: 4 | 6): Promise<Download> {
    const path = `${lab.directory}/got${family}`;
    const argv = ["curl", "-sfgN", "--limit-rate", "500k", "-o", path, nginx.url(family, "/files/large")];
    return new Download(await lab.client.start(argv), path);
  }

  constructor(readonly program: Program, readonly path: string) {}

  /** Ends it; fails if it had ended before, or if a byte of what has come is wrong. */
  async check(wanted: Uint8Array): Promise<void> {
    assert.ok(this.program.running, "the download has ended by itself");
    await this.program.stop();
    const got = Deno.readFileSync(this.path);
    assert.ok(got.length > MIB && got.length < wanted.length, `${got.length} bytes`);
    assert.equal(Buffer.compare(got, wanted.subarray(0, got.length)), 0, "wrong bytes");
  }
}

/** Connects often enough for all workers to dial. */
async function warmUp(nginx: Nginx): Promise<void> {
  for (let i = 0; i < 20; i++) assert.equal(await nginx.get(i % 2 === 0 ? 4 : 6), "hello\n");
}

/** The workers' connections are over: descriptors by kind, but for pipes, of which a worker keeps some. */
async function restingDescriptors(proxy: Proxy): Promise<Record<string, number>> {
  await delay(1_000);
  return Object.fromEntries(
    [...countDescriptorKinds(proxy.pid)].filter(([kind]) => kind !== "pipe").toSorted(),
  );
}

/** iptables-nft lists tables and chains in the order in which they were made. */
async function sortedSnapshot(lab: Lab): Promise<string> {
  return (await snapshotKernel(lab.router)).split("\n").toSorted().join("\n");
}

labTest(
  `run takes ${RELOADS} reloads under load, good and bad in turn: no connection fails, each is answered`,
  {
    programs: PROGRAMS,
  },
  async (lab) => {
    const large = randomBytes(128 * MIB);
    lab.writeFile("large", large);
    const nginx = await startNginx(lab, { accessLog: false });
    await serve(lab, ECHO_PORT, "cat");
    for (const port of PROBED_PORTS) await tellAddresses(lab, port);
    const proxy = await startProxy(lab, { config: goodConfig(2).config });
    let generation = 1;
    // Once round with all that there will be, before anything is counted: the first dial of a worker with
    // either source opens what it asks the kernel through. Workers are chosen by clients' ports.
    await warmUp(nginx);
    writeConfig(lab, goodConfig(0).config);
    await reload(proxy, `generation ${++generation} is in force`);
    await warmUp(nginx);
    assert.equal(await probe(lab, goodConfig(0).refused), "refused");
    await delay(SETTLED_MS);
    const before = {
      kernel: await sortedSnapshot(lab),
      descriptors: await restingDescriptors(proxy),
      memory: residentBytes(proxy.pid),
    };

    const downloads = [await Download.begin(lab, nginx, 4), await Download.begin(lab, nginx, 6)];
    const echoes = [await Echo.open(lab, 4), await Echo.open(lab, 6)];
    const connecting = [];
    for (const family of [4, 6, 4, 6] as const) connecting.push(await keepConnecting(lab, nginx.url(family)));

    for (let round = 1; round <= RELOADS / 2; round++) {
      const fault = FAULTS[round % FAULTS.length];
      if (fault.text === undefined) Deno.removeSync(proxy.configPath);
      else Deno.writeTextFileSync(proxy.configPath, fault.text);
      const refusal = await reload(proxy, "not reloaded: ");
      assert.ok(
        refusal.includes(`not reloaded: ${fault.said(proxy.configPath)}`),
        `${fault.name}: ${refusal}`,
      );
      assert.ok(refusal.includes(`in-force="generation ${generation}"`), `${fault.name}: ${refusal}`);
      const inForce = goodConfig(round - 1);
      assert.equal(await probe(lab, inForce.refused), "refused", `${fault.name} has changed the rules`);

      const next = goodConfig(round);
      writeConfig(lab, next.config);
      await reload(proxy, `generation ${++generation} is in force`);
      assert.equal(await probe(lab, next.refused), "refused", `rules of generation ${generation}`);
      assert.equal(await probe(lab, next.open), next.seen, `settings of generation ${generation}`);
    }
    // The config of the beginning: all must be as it was.
    writeConfig(lab, goodConfig(0).config);
    await reload(proxy, `generation ${++generation} is in force`);
    assert.equal((await tproxy(lab, ["status", "-c", proxy.configPath])).code, 0);

    for (const echo of echoes) await echo.check();
    lab.writeFile("stop", "");
    let connections = 0;
    for (const program of connecting) {
      assert.equal(await program.waitForExit(), 0);
      const results = program.stdout.trimEnd().split("\n");
      assert.deepEqual(results.filter((result) => result !== "ok"), []);
      connections += results.length;
    }
    assert.ok(connections > 10 * RELOADS, `${connections} connections only`);
    for (const download of downloads) await download.check(large);
    assert.equal(proxy.program.running, true);
    assert.doesNotMatch(proxy.log, /suppressed|unexpected/);

    assert.deepEqual(await restingDescriptors(proxy), before.descriptors);
    assert.equal(await sortedSnapshot(lab), before.kernel);
    await delay(SETTLED_MS);
    const growth = residentBytes(proxy.pid) - before.memory;
    assert.ok(growth < MOST_GROWTH, `grew by ${(growth / MIB).toFixed(1)} MiB`);
  },
);

labTest("a reload leaves rules alone that are not those of the config in force, and takes the rest over", {
  programs: PROGRAMS,
}, async (lab) => {
  for (const port of PROBED_PORTS) await tellAddresses(lab, port);
  const proxy = await startProxy(lab);
  const other = lab.writeFile(
    "other.yaml",
    Deno.readTextFileSync(writeConfig(lab, { rules: [{ action: "block", ports: [9] }] })),
  );
  await tproxy(lab, ["install", "-c", other], backendPrograms(lab));
  const rules = await snapshotKernel(lab.router);
  const [refused, open] = PROBED_PORTS;
  writeConfig(lab, { source: "router", rules: [{ action: "block", ports: [refused] }] });
  await reload(proxy, "generation 2 is in force");
  // At the reload, or as soon as somebody else has installed.
  assert.match(
    proxy.log,
    /the rules in the kernel are not those of this config and network: they are left alone/,
  );
  assert.equal(await snapshotKernel(lab.router), rules);
  assert.equal(await probe(lab, open), SEEN.router);
  // A first packet that asks is refused; a connection that is taken already is reset.
  const refusal = usesIptables() ? "reset" : "refused";
  assert.equal(await probe(lab, refused), refusal, "the proxy goes by rules that the kernel does not have");
  // Who has installed the new config before the reload finds it in force.
  writeConfig(lab, { source: "client" });
  await tproxy(lab, ["install", "-c", proxy.configPath], backendPrograms(lab));
  assert.doesNotMatch(await reload(proxy, "generation 3 is in force"), /left alone/);
  writeConfig(lab, { source: "router" });
  await reload(proxy, "generation 4 is in force");
  assert.equal(
    (await tproxy(lab, ["status", "-c", proxy.configPath])).code,
    0,
    "from then on they are its own",
  );
});

labTest("a reload changes what is logged", { programs: PROGRAMS }, async (lab) => {
  const nginx = await startNginx(lab);
  const proxy = await startProxy(lab);
  writeConfig(lab, { log: { level: "debug" } });
  await reload(proxy, "generation 2 is in force");
  assert.equal(await nginx.get(4), "hello\n");
  await proxy.program.waitForOutput(ADDRESSES[4].client);
  writeConfig(lab, { log: { level: "error" } });
  proxy.program.signal("SIGHUP");
  await delay(1_000);
  const quiet = proxy.log.length;
  assert.equal(await nginx.get(4), "hello\n");
  await delay(300);
  assert.equal(proxy.log.slice(quiet), "");
});

labTest("run --install installs for the first time when a reload names what the network has", {
  programs: PROGRAMS,
}, async (lab) => {
  const nginx = await startNginx(lab);
  const auto = { intercept: { interfaces: "auto" } };
  const proxy = await startProxy(lab, { config: auto, install: false, arguments: ["--install"] });
  await proxy.program.waitForOutput("no rules can be made yet");
  writeConfig(lab);
  await reload(proxy, "generation 2 is in force");
  assert.equal(await nginx.get(4), "hello\n");
  // The network allows rules now, and would allow the first config none.
  writeConfig(lab, auto);
  await reload(proxy, "not reloaded: Cannot choose interfaces");
  assert.equal(await nginx.get(4), "hello\n");
});

labTest("a reload waits for a worker that stands still, and says so", { programs: PROGRAMS }, async (lab) => {
  const proxy = await startProxy(lab, { config: { listener: { workers: 2 } } });
  const [, second] = workerThreads(proxy.pid);
  writeConfig(lab, { listener: { workers: 2 }, source: "router" });
  {
    using _ = new FrozenThread(second);
    await reload(proxy, "the reload waits for a worker");
    assert.doesNotMatch(proxy.log, /generation 2/);
  }
  await proxy.program.waitForOutput("generation 2 is in force");
});
