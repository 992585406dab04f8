/** The place of the control socket where another proxy has it, has had it, or ends just now. */
import assert from "node:assert/strict";
import { openControlSocket } from "../../../../src/daemon/control/control_socket.ts";
import { createLogger } from "../../../../src/log.ts";

const lines: string[] = [];
const LOG = createLogger({ level: "info", format: "text", write: (line) => lines.push(line) });

/** Has something listen at a path that does this with each connection. */
async function withListener(
  work: (path: string) => Promise<void>,
  serve: (conn: Deno.Conn) => void,
): Promise<void> {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const serving = (async () => {
    for await (const conn of listener) serve(conn);
  })();
  try {
    await work(path);
  } finally {
    listener.close();
    await serving;
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a successor takes the place of a proxy that ends while it is asked", async () => {
  await withListener(async (path) => {
    await assert.rejects(openControlSocket(path, LOG), /ask the proxy at/);
    const socket = await openControlSocket(path, LOG, { succeeds: true });
    assert.ok(socket !== undefined, lines.join("\n"));
    socket.close();
    assert.throws(() => Deno.lstatSync(path));
  }, (conn) => conn.close());
});

Deno.test("a successor has the place that the one before leaves meanwhile", async () => {
  await withListener(async (path) => {
    const socket = await openControlSocket(path, LOG, { succeeds: true });
    assert.ok(socket !== undefined, lines.join("\n"));
    socket.close();
  }, (conn) => {
    const { path } = conn.localAddr as Deno.UnixAddr;
    Deno.removeSync(path);
    conn.close();
  });
});
