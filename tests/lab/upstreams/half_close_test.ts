/**
 * Half-closed connections through CONNECT: what a proxy does with them for a client that speaks to it itself,
 * it does for ours.
 */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import type { Namespace } from "../../laboratory/namespace.ts";
import type { Program } from "../../laboratory/program.ts";
import { labTest } from "../../laboratory/register.ts";
import { startSquid, startTinyproxy, startV2ray } from "../../laboratory/upstreams/proxies.ts";
import { startThrough } from "../../laboratory/upstreams/through.ts";

const PORT = 3128;
/** At 7000 the client ends first, at 7001 the server. It says what it has heard. */
const SERVER = `import socket, threading
def to_end(s):
    data = b""
    try:
        while more := s.recv(100): data += more
        return data.decode()
    except OSError as error: return data.decode() + " and " + error.strerror
def serve(s, ends):
    if ends: s.sendall(b"first"); s.shutdown(socket.SHUT_WR)
    print("heard", to_end(s), flush=True)
    try:
        if not ends: s.sendall(b"answer")
    except OSError: pass
    s.close()
def listen(port, ends):
    listener = socket.create_server(("", port))
    while True: threading.Thread(target=serve, args=(listener.accept()[0], ends)).start()
threading.Thread(target=listen, args=(7001, True)).start(); listen(7000, False)`;
/** A client of a server, or of a proxy before it. */
const CLIENT = `import socket, sys, time
host, port, way, ends = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4] == "client"
s = socket.create_connection((host, int(way) if way else port), 8); s.settimeout(8)
if way:
    s.sendall(f"CONNECT {host}:{port} HTTP/1.1\\r\\nHost: {host}:{port}\\r\\n\\r\\n".encode())
    head = b""
    while b"\\r\\n\\r\\n" not in head: head += s.recv(1)
data = b""
try:
    if ends: s.sendall(b"question"); s.shutdown(socket.SHUT_WR)
    while more := s.recv(100): data += more
    if not ends: time.sleep(0.3); s.sendall(b"more"); s.close()
except OSError as error: data += b" and " + (error.strerror or str(error)).encode()
print(data.decode())`;

/** Words that client and server have heard. */
interface Heard {
  readonly client: string;
  readonly server: string;
}

/** The end that ends first. */
type First = "client" | "server";

const KINDS = [
  { program: "tinyproxy", start: startTinyproxy, port: PORT },
  { program: "squid", start: startSquid, port: PORT },
  { program: "v2ray", start: startV2ray, port: PORT + 1 },
] as const;

/** To all of them one end is both ends'. */
const FATES: Readonly<Record<First, Heard>> = {
  client: { client: "", server: "heard question" },
  server: { client: "first", server: "heard" },
};

/** A conversation at whose end the server says what it has heard. */
async function converse(
  from: Namespace,
  server: Program,
  { proxy = "", first }: { readonly proxy?: number | ""; readonly first: First },
): Promise<Heard> {
  const lines = () => server.stdout.split("\n").slice(0, -1);
  const before = lines().length;
  const port = first === "client" ? "7000" : "7001";
  const argv = ["python3", "-c", CLIENT, ADDRESSES[4].server, port, String(proxy), first];
  const { stdout } = await from.run(argv);
  await until(() => lines().length > before, { what: "the server's words" });
  return { client: stdout.trim(), server: lines()[before].trim() };
}

for (const { program, start, port } of KINDS) {
  labTest(`${program} ends both directions when one has ended, with us as without us`, {
    programs: [program, "python3"],
  }, async (lab) => {
    const server = await lab.server.start(["python3", "-u", "-c", SERVER], { listens: 7000 });
    await start(lab, { port: PORT, asks: false });
    await startThrough(lab, { type: "http-connect", port });
    for (const first of ["client", "server"] as const) {
      assert.deepEqual(
        await converse(lab.server, server, { proxy: port, first }),
        FATES[first],
        "without us",
      );
      assert.deepEqual(
        await converse(lab.client, server, { first }),
        FATES[first],
        `the ${first} ends first`,
      );
    }
  });
}
