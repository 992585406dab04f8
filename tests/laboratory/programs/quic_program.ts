/**
 * QUIC (quinn, inside Deno) as a program in a namespace; for udp_programs_test.ts. Needs --unstable-net.
 *
 * `serve ADDRESS PORT CERTIFICATE KEY`: what comes on a stream goes back on it. `fetch ADDRESS PORT
 * CERTIFICATE BYTES`: sends so many random bytes, prints hashes of what went and of what came.
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { print } from "../machine/print.ts";

const [command, hostname, port, certificate, argument] = Deno.args;
const ALPN = { alpnProtocols: ["echo"] };
const CHUNK = 65_536;

async function serve(): Promise<void> {
  const endpoint = new Deno.QuicEndpoint({ hostname, port: Number(port) });
  const cert = Deno.readTextFileSync(certificate);
  const listener = endpoint.listen({ ...ALPN, cert, key: Deno.readTextFileSync(argument) });
  for await (const incoming of listener) {
    const connection = await incoming.accept();
    print(`connection from ${connection.remoteAddr.hostname}`);
    for await (const { readable, writable } of connection.incomingBidirectionalStreams) {
      await readable.pipeTo(writable);
    }
  }
}

async function fetchBack(): Promise<void> {
  const caCerts = [Deno.readTextFileSync(certificate)];
  const where = { hostname, port: Number(port), serverName: "server.test" };
  const connection = await Deno.connectQuic({ ...where, ...ALPN, caCerts });
  const { readable, writable } = await connection.createBidirectionalStream();
  const [sent, received] = [createHash("sha256"), createHash("sha256")];
  const receiving = (async () => {
    for await (const chunk of readable) received.update(chunk);
  })();
  const writer = writable.getWriter();
  for (let left = Number(argument); left > 0; left -= CHUNK) {
    const chunk = new Uint8Array(randomBytes(Math.min(left, CHUNK)));
    sent.update(chunk);
    await writer.write(chunk);
  }
  await writer.close();
  await receiving;
  connection.close({ closeCode: 0, reason: "" });
  print(`${sent.digest("hex")} ${received.digest("hex")}`);
}

await (command === "serve" ? serve() : fetchBack());
Deno.exit(0);
