/**
 * The load generator by name, load/: it is compiled, and run at both ends of the laboratory.
 * @module
 */
import { ADDRESSES, type Lab } from "../../../../tests/laboratory/lab.ts";
import { recorded } from "../../../../tests/unit/sniff/recordings.ts";
import { compileGenerator, generator } from "../compile.ts";

/** The port of names. */
const PORT = 443;
const NAME = "tls_load";
const PROGRAM = generator(NAME);

/** Processors of the ends: where the kernel moves them about, turns with many flows differ by a tenth. */
const ON = { client: ["taskset", "-c", "0"], server: ["taskset", "-c", "1"] };

/** The name in the recorded hellos, which no list has; and one of the same length, which the list has. */
const ALLOWED = "recorded.example";
/** See {@linkcode ALLOWED}. */
export const LISTED = "recorded.invalid";

/** Clients whose hellos are recorded: of one segment, and of two. */
export type Hello = "openssl" | "chromium";

/** A report of connections, requests or bytes. */
export interface Counted {
  readonly count: number;
  readonly failures: number;
  readonly seconds: number;
}

/** Seconds until a server's first byte. */
export interface Greeted {
  readonly median: number;
  readonly p99: number;
}

/** Compiles the generator; once for a benchmark. */
export function compileLoad(): Promise<void> {
  return compileGenerator(NAME, new URL("./load", import.meta.url));
}

/** Starts the server, which speaks first at other ports, and SOCKS5 at 1080. */
export async function startServer(lab: Lab): Promise<void> {
  await lab.server.start([...ON.server, PROGRAM, "server", `port=${PORT}`], { listens: PORT });
}

/** Tells whether a client with this name is answered. */
export async function isAnswered(lab: Lab, name: "allowed" | "listed", port = PORT): Promise<boolean> {
  const { answered } = await run<{ answered: boolean }>(lab, "ask", {
    port,
    hello: writeHello(lab, "openssl", name === "listed" ? LISTED : ALLOWED),
  });
  return answered;
}

/** Has a client of the server do something for a while, with a name that no list has. `port`: not its own. */
export async function count(
  lab: Lab,
  role: "connections" | "requests" | "upload" | "download",
  { hello = "openssl", ...options }: { hello?: Hello; flows?: number; seconds: number; port?: number },
): Promise<Counted> {
  const counted = await run<Counted>(lab, role, { hello: writeHello(lab, hello, ALLOWED), ...options });
  if (counted.failures > 0) throw new Error(`${role}: ${counted.failures} connections have failed`);
  return counted;
}

/** Waits for so many greetings, one after the other; for fewer where they take longer than that. */
export function greet(
  lab: Lab,
  port: number,
  options: { flows: number; seconds: number },
): Promise<Greeted> {
  return run(lab, "greetings", { port, ...options });
}

async function run<T>(lab: Lab, role: string, options: Record<string, string | number>): Promise<T> {
  const words = Object.entries({ address: ADDRESSES[4].server, port: PORT, ...options })
    .map(([name, value]) => `${name}=${value}`);
  const on = "flows" in options && role !== "greetings" ? ON.client : [];
  const { stdout } = await lab.client.run([...on, PROGRAM, role, ...words], { timeoutMs: 120_000 });
  return JSON.parse(stdout);
}

/** Writes the hello of a client, with another name of the same length in it. */
function writeHello(lab: Lab, client: Hello, name: string): string {
  const [recording] = recorded(`tls-${client}`);
  const hex = (text: string) => new TextEncoder().encode(text).toHex();
  const bytes = Uint8Array.fromHex(recording.toHex().replace(hex(ALLOWED), hex(name)));
  return lab.writeFile(`${client}-${name}`, bytes);
}
