/**
 * Records the first bytes of real clients into tests/testdata/hellos/*.hex: of a TCP connection the stream,
 * of a UDP flow each datagram. Runs in namespaces of its own, which scripts/record makes: no client reaches
 * further than this machine, and all end with it.
 *
 *     scripts/record hellos [NAME…]      all, or those whose names hold one of these words
 * @module
 */
import { type Hello, HELLOS } from "./cases/hellos.ts";

const OUTPUT = new URL("../../../tests/testdata/hellos/", import.meta.url);
/** Browsers take their time to start. */
const START_MS = 30_000;
/** Less than the second after which a client sends again what nobody has answered. */
const FIRST_FLIGHT_MS = 400;
const HOST_LINE = "127.0.0.1 localhost recorded.example\n";

function sleep(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}

async function takeStream(port: number): Promise<Uint8Array[]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port });
  using connection = await listener.accept();
  const parts: number[] = [];
  const buffer = new Uint8Array(65536);
  let end: Promise<undefined> | undefined;
  for (;;) {
    const length = await Promise.race([connection.read(buffer), end ?? sleep(START_MS)]);
    if (typeof length !== "number") return [Uint8Array.from(parts)];
    parts.push(...buffer.subarray(0, length));
    end ??= sleep(FIRST_FLIGHT_MS);
  }
}

async function takeDatagrams(port: number): Promise<Uint8Array[]> {
  const socket = Deno.listenDatagram({ hostname: "127.0.0.1", port, transport: "udp" });
  using _closed = { [Symbol.dispose]: () => socket.close() };
  const found: Uint8Array[] = [];
  let client: number | undefined;
  let end: Promise<undefined> | undefined;
  for (;;) {
    const received = await Promise.race([socket.receive(), end ?? sleep(START_MS)]);
    if (received === undefined) return found;
    const [bytes, from] = received;
    client ??= (from as Deno.NetAddr).port;
    if (client === (from as Deno.NetAddr).port) found.push(bytes);
    end ??= sleep(FIRST_FLIGHT_MS);
  }
}

async function record({ name, transport, port, command, preferences }: Hello): Promise<Uint8Array[]> {
  const profile = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${profile}/user.js`, (preferences ?? []).join("\n"));
  const [program, ...args] = command.map((word) => word.replace("PROFILE", profile));
  const taken = transport === "tcp" ? takeStream(port) : takeDatagrams(port);
  const client = new Deno.Command("timeout", {
    args: ["--kill-after=2", "60", program === "deno" ? Deno.execPath() : program, ...args],
    env: { HOME: profile, TMPDIR: profile },
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const found = await Promise.race([taken, sleep(START_MS)]);
    if (found === undefined || found.length === 0) throw new Error(`${name}: nothing came`);
    return found;
  } finally {
    stop(client);
    await client.stdin.close().catch(() => {});
    await client.status;
    Deno.removeSync(profile, { recursive: true });
  }
}

function stop(client: Deno.ChildProcess): void {
  try {
    client.kill();
  } catch {
    // It has ended.
  }
}

function versionOf({ package: name }: Hello): string {
  if (name === undefined) return `deno ${Deno.version.deno}`;
  const { stdout } = new Deno.Command("dpkg-query", { args: ["--show", name] }).outputSync();
  return new TextDecoder().decode(stdout).trim().replace("\t", " ");
}

function hexLines(bytes: Uint8Array): string {
  return bytes.toHex().replace(/.{64}(?=.)/g, "$&\n");
}

if (import.meta.main) {
  // The clients alone see it: the mounts are the namespace's.
  const hosts = Deno.makeTempFileSync();
  Deno.writeTextFileSync(hosts, HOST_LINE);
  new Deno.Command("mount", { args: ["--bind", hosts, "/etc/hosts"] }).outputSync();
  Deno.mkdirSync(OUTPUT, { recursive: true });
  const isAsked = ({ name }: Hello) =>
    Deno.args.length === 0 || Deno.args.some((word) => name.includes(word));
  for (const hello of HELLOS.filter(isAsked)) {
    const found = await record(hello);
    const words = hello.command.map((word) => word.replaceAll(/\s+/g, " ").slice(0, 80));
    const heading = [`# ${words.join(" ")}`, `# ${versionOf(hello)}`].join("\n");
    Deno.writeTextFileSync(
      new URL(`${hello.name}.hex`, OUTPUT),
      [heading, ...found.map(hexLines)].join("\n\n") + "\n",
    );
    const lengths = found.map(({ length }) => length).join(" + ");
    Deno.stdout.writeSync(new TextEncoder().encode(`${hello.name}: ${lengths} bytes\n`));
  }
  Deno.removeSync(hosts);
}
