/**
 * Watching in the router's namespace: the program, the servers that are watched, and what a client sees.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import { until } from "../machine/wait.ts";
import type { Namespace } from "../namespace.ts";
import type { Program } from "../program.ts";
import { scriptCommand } from "../programs/script.ts";
import { type ConfigText, writeConfig } from "../proxy/proxy.ts";

/** Counters of watching, as shared/state.ts names them. */
export type WatchCounters = Readonly<
  Record<"watched" | "watchPassed" | "watchReleased" | "watchRefused" | "watchDropped", number>
>;

/** The running program. */
export class Watcher {
  readonly program: Program;

  constructor(program: Program) {
    this.program = program;
  }

  /** Its counters. */
  async count(): Promise<WatchCounters> {
    const told = () => [...this.program.stdout.matchAll(/^COUNTERS (.*)\n/gm)];
    const before = told().length;
    this.program.signal("SIGUSR1");
    await until(() => told().length > before, { what: "counters" });
    return JSON.parse(told().at(-1)![1]);
  }
}

/** Starts it. Unless the config says otherwise `blocked.test` and all below may not be reached by TCP. */
export async function startWatcher(lab: Lab, config: ConfigText = {}): Promise<Watcher> {
  const rules = [{ name: "names", ports: [25, 80, 443], domains: [".blocked.test"], action: "block" }];
  const path = writeConfig(lab, { rules, default: "bypass", ...config });
  const program = await lab.router.start(scriptCommand("../watch/program.ts", [path]));
  await program.waitForOutput("watching");
  return new Watcher(program);
}

/**
 * Python: HTTP with keep-alive on port 80, which resets after its answer to "X: hang up"; 443 answers a
 * whole hello, or what is none, with the number of bytes; 25 greets. It prints how each connection ends, and
 * how many bytes it has brought.
 */
const SERVE = `import socket, struct, threading
def serve(c, port):
    got = b""
    end = "end"
    try:
        if port == 25: c.sendall(b"220 hello\\r\\n")
        while True:
            d = c.recv(65536)
            if not d: break
            got += d
            if port == 80 and got.endswith(b"\\r\\n\\r\\n"): c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
            if port == 80 and b"X: hang up" in got: c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); break
            elif port == 443 and (got[0] != 22 or (len(got) > 4 and len(got) >= 5 + got[3] * 256 + got[4])): c.sendall(b"%d\\n" % len(got))
            elif port == 25: c.sendall(b"250 ok\\r\\n")
    except OSError as e: end = e.strerror
    c.close()
    print("%d %s %d\\n" % (port, end, len(got)), end="", flush=True)
def listen(port):
    s = socket.socket(socket.AF_INET6); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", port)); s.listen(1000)
    while True: threading.Thread(target=serve, args=(s.accept()[0], port), daemon=True).start()
for port in (25, 80): threading.Thread(target=listen, args=(port,), daemon=True).start()
listen(443)`;

/**
 * Starts the servers, the server's own or those of another host. Each line of the output: port, "end" or the
 * error, and the bytes that came.
 */
export function serveWatched(lab: Lab, host: Namespace = lab.server): Promise<Program> {
  return host.start(["python3", "-c", SERVE], { listens: 443 });
}

/**
 * Python: `connect(port)`, `head(host)` of HTTP, `hello(name, padding)` of TLS, `said(socket)`: what it
 * receives, or the error; `report(name, milliseconds, text)`.
 */
const CLIENT = `import socket, struct, sys, time
address = sys.argv[1]
def connect(port, nodelay=True):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET); s.settimeout(3)
    if nodelay: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.connect((address, port)); return s
def head(host, extra=""): return ("GET / HTTP/1.1\\r\\n" + extra + "Host: " + host + "\\r\\n\\r\\n").encode()
def hello(name, padding=0):
    n = name.encode(); ext = struct.pack(">HHHBH", 0, len(n) + 5, len(n) + 3, 0, len(n)) + n
    if padding: ext = struct.pack(">HH", 21, padding) + b"\\0" * padding + ext
    body = b"\\3\\3" + b"R" * 32 + b"\\0" + b"\\0\\2\\xc0\\x2b" + b"\\1\\0" + struct.pack(">H", len(ext)) + ext
    hs = b"\\1" + struct.pack(">I", len(body))[1:] + body
    return b"\\x16\\3\\1" + struct.pack(">H", len(hs)) + hs
def said(s):
    try: return s.recv(4096).decode().strip().split("\\r\\n")[-1]
    except TimeoutError: return "silence"
    except OSError as e: return e.strerror
def report(name, started, text): print("%s|%d|%s" % (name, (time.time() - started) * 1000, text), flush=True)
`;

/** A line of a client's report. */
export interface Report {
  readonly name: string;
  readonly ms: number;
  readonly said: string;
}

/** Runs a script after {@linkcode CLIENT} in the client's namespace. */
export async function runClient(lab: Lab, family: 4 | 6, script: string, to?: string): Promise<Report[]> {
  const { stdout } = await lab.client.run(clientCommand(family, script, to));
  return readReports(stdout);
}

/** Starts one that goes on until the test has it end. */
export function startClient(lab: Lab, family: 4 | 6, script: string): Promise<Program> {
  return lab.client.start(clientCommand(family, script));
}

/** The lines of its report in what it has written. */
export function readReports(stdout: string): Report[] {
  return stdout.trim().split("\n").filter((line) => line.includes("|")).map((line) => {
    const [name, ms, said] = line.split("|");
    return { name, ms: Number(ms), said };
  });
}

function clientCommand(family: 4 | 6, script: string, to?: string): string[] {
  return ["python3", "-c", CLIENT + script, to ?? ADDRESSES[family].server];
}
