/**
 * The laboratory: three network namespaces joined by veth pairs, made with `ip`.
 *
 * ```
 *   client                    router                              server
 *   ┌──────────────┐          ┌──────────────────────────┐        ┌──────────────────┐
 *   │           c0 ├──────────┤ r0      (tproxy)      r1 ├────────┤ s0               │
 *   └──────────────┘   LAN    └──────────────────────────┘  WAN   └──────────────────┘
 *   10.77.1.2/24              10.77.1.1      203.0.113.1          203.0.113.2/24
 *   fd77:1::2/64              fd77:1::1      2001:db8:77::1       2001:db8:77::2/64
 * ```
 * The router forwards established flows, but **drops the packets of new ones where they would leave it**:
 * whatever a client reaches, it reaches through a proxy.
 * @module
 */
import { RUN_DIRECTORY } from "../../src/constants.ts";
import { Namespace } from "./namespace.ts";
import { print } from "./machine/print.ts";
import { isAlive } from "./machine/procfs.ts";
import { Program, runProgram } from "./program.ts";

/** The addresses of the drawing. */
export const ADDRESSES = {
  4: { client: "10.77.1.2", lan: "10.77.1.1", wan: "203.0.113.1", server: "203.0.113.2" },
  6: { client: "fd77:1::2", lan: "fd77:1::1", wan: "2001:db8:77::1", server: "2001:db8:77::2" },
} as const;

/** Differences from the plain laboratory. */
export interface LabOptions {
  /** The router forwards new flows too; for tests about forwarding only. */
  readonly forwarding?: boolean;
  /** The router masquerades towards the WAN, and the server has no route to the LAN. */
  readonly masquerade?: boolean;
  /** `src_valid_mark=1` and `rp_filter=1`, as Tailscale and wg-quick leave a router. */
  readonly tailscaleSysctls?: boolean;
}

/** Postrouting, behind the chain in which first packets ask (300). */
const GUARD_PRIORITY = 350;

let labCount = 0;

/** Client, router, server. Make it with {@linkcode openLab}, end it with `close`. */
export class Lab {
  readonly client: Namespace;
  readonly router: Namespace;
  readonly server: Namespace;
  /** A directory of its own under /tmp, removed with the laboratory. */
  readonly directory: string;
  /** Every command so far, for the report of a failure. */
  readonly transcript: string[] = [];
  readonly #prefix = `tproxy-lab-${Deno.pid}-${++labCount}`;
  readonly #further: Namespace[] = [];
  readonly #guard: Program;

  constructor() {
    this.client = this.#makeNamespace("client");
    this.router = this.#makeNamespace("router");
    this.server = this.#makeNamespace("server");
    this.directory = Deno.makeTempDirSync({ prefix: `${this.#prefix}-` });
    Deno.chmodSync(this.directory, 0o711); // a proxy that root starts is not root
    const guard = new URL("./guard.sh", import.meta.url).pathname;
    // A Ctrl-C in the terminal must not reach the one that cleans up, so it has a session of its own. Nor may
    // it be our child: Deno kills those when a test file ends with an uncaught error. Its end is seen by its
    // outputs'.
    this.#guard = new Program([
      "setsid",
      "--fork",
      guard,
      this.directory,
      ...this.namespaces.map((n) => n.name),
    ]);
  }

  get namespaces(): readonly Namespace[] {
    return [this.client, this.router, this.server, ...this.#further];
  }

  /** Lets new flows leave the router from here on, as with `forwarding`. */
  openGuard(): Promise<void> {
    return this.router.nft("flush chain inet lab guard");
  }

  /** Adds a namespace that is joined to nothing yet. */
  async addNamespace(role: string): Promise<Namespace> {
    const namespace = this.#makeNamespace(role);
    this.#further.push(namespace);
    // First the guard knows of it, then it is there.
    await this.#guard.write(`${namespace.name}\n`);
    await runProgram(["ip", "netns", "add", namespace.name]);
    await namespace.ip("link set lo up");
    return namespace;
  }

  #makeNamespace(role: string): Namespace {
    const echo = (line: string) => {
      this.transcript.push(line);
      if (Deno.env.get("TPROXY_LAB_TRACE") !== undefined) print(line);
    };
    return new Namespace(`${this.#prefix}-${role}`, { echo });
  }

  /** Every program started so far. */
  get programs(): readonly Program[] {
    return this.namespaces.flatMap((namespace) => namespace.programs);
  }

  /** Writes a file into the directory of the laboratory and gives its path. */
  writeFile(name: string, content: string | Uint8Array): string {
    const path = `${this.directory}/${name}`;
    if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else Deno.writeFileSync(path, content);
    return path;
  }

  /** Ends every program, removes the namespaces and files, and throws if anything is left behind. */
  async close(): Promise<void> {
    const pids = this.programs.map((program) => program.pid);
    for (const namespace of this.namespaces) namespace.closeSockets();
    await this.#guard.closeInput();
    await this.#guard.waitForExit({ timeoutMs: 10_000 });
    await Promise.all(this.programs.map((program) => program.stop("SIGKILL")));
    removeNotes(pids);
    const remaining = (await runProgram(["ip", "netns", "list"])).stdout.split("\n")
      .filter((line) => this.namespaces.some((namespace) => line.startsWith(namespace.name)));
    const left = [
      ...remaining.map((line) => `namespace ${line}`),
      ...pids.filter(isAlive).map((pid) => `process ${pid}`),
    ];
    if (left.length > 0) throw new Error(`The laboratory left behind: ${left.join(", ")}`);
  }
}

/** Removes what proxies that were killed have left for others of their namespaces, which are gone. */
function removeNotes(pids: readonly number[]): void {
  try {
    for (const { name } of Deno.readDirSync(RUN_DIRECTORY)) {
      const pid = /^early-demux-\d+-(\d+)$/.exec(name)?.[1];
      if (pid !== undefined && pids.includes(Number(pid))) Deno.removeSync(`${RUN_DIRECTORY}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Builds the laboratory of the drawing. */
export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const lab = new Lab();
  try {
    await build(lab, options);
    return lab;
  } catch (error) {
    await lab.close().catch(() => {});
    throw error;
  }
}

async function build(lab: Lab, options: LabOptions): Promise<void> {
  const { client, router, server } = lab;
  await runProgram(["ip", "-batch", "-"], {
    input: lab.namespaces.map((namespace) => `netns add ${namespace.name}\n`).join(""),
  });
  // No duplicate address detection: IPv6 is up at once.
  const noDad = { "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0 };
  await Promise.all([
    client.writeSysctl(noDad),
    server.writeSysctl(noDad),
    router.writeSysctl({ ...noDad, "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 }),
  ]);
  await router.ip(`
    link set lo up
    link add r0 type veth peer name c0 netns ${client.name}
    link add r1 type veth peer name s0 netns ${server.name}
    ${addresses("r0", ADDRESSES[4].lan, ADDRESSES[6].lan)}
    ${addresses("r1", ADDRESSES[4].wan, ADDRESSES[6].wan)}
  `);
  await client.ip(`
    link set lo up
    ${addresses("c0", ADDRESSES[4].client, ADDRESSES[6].client)}
    ${defaultRoutes(ADDRESSES[4].lan, ADDRESSES[6].lan)}
  `);
  await server.ip(`
    link set lo up
    ${addresses("s0", ADDRESSES[4].server, ADDRESSES[6].server)}
    ${options.masquerade === true ? "" : defaultRoutes(ADDRESSES[4].wan, ADDRESSES[6].wan)}
  `);
  if (options.tailscaleSysctls === true) {
    const names = ["all", "default", "r0", "r1"];
    await router.writeSysctl(Object.fromEntries(
      names.flatMap((name) => [[`net.ipv4.conf.${name}.src_valid_mark`, 1], [
        `net.ipv4.conf.${name}.rp_filter`,
        1,
      ]]),
    ));
  }
  await router.nft(firewall(options));
}

function addresses(link: string, ipv4: string, ipv6: string): string {
  return `addr add ${ipv4}/24 dev ${link}
    addr add ${ipv6}/64 dev ${link} nodad
    link set ${link} up`;
}

function defaultRoutes(ipv4: string, ipv6: string): string {
  return `route add default via ${ipv4}
    route add default via ${ipv6}`;
}

/**
 * The router's own firewall, as an administrator would have it, and behind everything else the guard: it
 * comes after the whole forward path and after the proxy's questions, so that a first packet may ask, but not
 * leave.
 */
function firewall(options: LabOptions): string {
  const guard = options.forwarding === true ? "" : `
    chain guard {
      type filter hook postrouting priority ${GUARD_PRIORITY}; policy accept;
      ct state established,related accept
      iif != 0 meta l4proto { tcp, udp } drop comment "what the router itself sends came in nowhere"
    }`;
  const nat = options.masquerade !== true ? "" : `
    chain postrouting {
      type nat hook postrouting priority srcnat; policy accept;
      oifname "r1" masquerade
    }`;
  return `table inet lab {
    chain forward {
      type filter hook forward priority filter; policy accept;
      ct state established,related accept
    }${guard}${nat}
  }`;
}
