/**
 * Connection attempts of the client, and what it is told of them.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import type { Program } from "../program.ts";

/** Python: prints "connected" or the error, and the milliseconds that it took; then what it reads. */
const DIAL = `import socket, sys, time
address, port, seconds, source = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
s.settimeout(seconds)
if source: s.bind(("", source))
start = time.time()
try:
    s.connect((address, port))
    told = "connected"
except OSError as error: told = type(error).__name__ if error.errno is None else error.strerror
print(told, round((time.time() - start) * 1000), flush=True)
try:
    while told == "connected":
        data = s.recv(4096)
        if not data: break
        print(data.decode(), end="", flush=True)
except OSError as error: print(error.strerror, flush=True)`;

/** An attempt. */
export interface Attempt {
  /** `connected`, or the error's text. */
  readonly told: string;
  readonly ms: number;
  /** Bytes that came, to the end. */
  readonly heard: string;
}

/** Address, port and patience. */
export interface DialOptions {
  readonly family?: 4 | 6;
  readonly port: number;
  readonly seconds?: number;
  /** The port that it dials from. */
  readonly source?: number;
  /** The server's address, if it is another. */
  readonly to?: string;
}

function dialCommand({ family = 4, port, seconds = 3, source = 0, to }: DialOptions): string[] {
  const address = to ?? ADDRESSES[family].server;
  return ["python3", "-c", DIAL, address, String(port), String(seconds), String(source)];
}

/** Dials, and reads to the end. */
export async function attempt(lab: Lab, options: DialOptions): Promise<Attempt> {
  const { stdout } = await lab.client.run(dialCommand(options));
  const [, told, ms, heard] = /^(.*) (\d+)\n([^]*)$/.exec(stdout)!;
  return { told, ms: Number(ms), heard };
}

/** Begins to dial; the program lives until the connection ends. */
export const startDial = (lab: Lab, options: DialOptions): Promise<Program> =>
  lab.client.start(dialCommand(options));
