import assert from "node:assert/strict";
import { askControl } from "../../../../src/daemon/control/client.ts";
import { TUNNEL } from "../../../../src/daemon/control/guard.ts";
import { json, type Route, type Subject } from "../../../../src/daemon/control/route.ts";
import { serveHttp } from "../../../../src/daemon/control/server.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { until } from "../../../laboratory/machine/wait.ts";

const MOST = 16;

const ROUTES: readonly Route[] = [
  { method: "GET", path: "/hello", answer: () => json({ version: 1 }) },
  {
    method: "POST",
    path: "/hello",
    answer: () => {
      throw new OperationError({ operation: "greet", object: "you", reason: "it is late", usage: true });
    },
  },
  { method: "GET", path: "/defect", answer: () => Promise.reject(new TypeError("a defect")) },
  {
    method: "GET",
    path: "/endless",
    answer: () => ({ status: 200, type: "text/plain", parts: endless }),
  },
  {
    method: "GET",
    path: "/silence",
    answer: () => ({ status: 200, type: "text/plain", parts: silence }),
  },
];

/** A stream without end. */
async function* endless(): AsyncGenerator<string> {
  while (true) yield await Promise.resolve("a".repeat(1 << 20));
}

/** A stream that says nothing until nobody listens. */
async function* silence(signal: AbortSignal): AsyncGenerator<string> {
  yield "begin\n";
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

/** A server at a path of its own. */
async function serving(test: (path: string, errors: string[]) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "tproxy-control-" });
  const path = `${directory}/socket`;
  const listener = Deno.listen({ transport: "unix", path });
  const errors: string[] = [];
  const error = (message: string) => void errors.push(message);
  const log = { error } as unknown as Parameters<typeof serveHttp>[3];
  const server = serveHttp(listener, { hosts: TUNNEL, routes: ROUTES }, {} as Subject, log);
  try {
    await test(path, errors);
  } finally {
    server.end();
    listener.close();
    Deno.removeSync(directory, { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 250)); // those whose end it sees
  }
}

const HELLO = { method: "GET", target: "/hello" } as const;
const hello = async (path: string) => (await askControl(path, HELLO))?.status;
const connect = (path: string) => Deno.connect({ transport: "unix", path });

/** Reads to the end; "reset" where it is none. */
async function readAll(conn: Deno.Conn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(4096);
  try {
    for (let length = await conn.read(buffer); length !== null; length = await conn.read(buffer)) {
      text += new TextDecoder().decode(buffer.subarray(0, length));
    }
  } catch {
    text += "reset";
  }
  conn.close();
  return text;
}

Deno.test("the server answers, refuses and goes on, whatever it is asked", async () => {
  await serving(async (path, errors) => {
    const asked = async (text: string | Uint8Array) => {
      const conn = await connect(path);
      await conn.write(typeof text === "string" ? new TextEncoder().encode(text) : new Uint8Array(text));
      return (await readAll(conn)).slice(0, 12);
    };
    const request = (line: string, header = "host: localhost") => `${line} HTTP/1.1\r\n${header}\r\n\r\n`;
    const cases: readonly [text: string | Uint8Array, answer: string][] = [
      [request("GET /hello"), "HTTP/1.1 200"],
      [request("GET /hello?x=y"), "HTTP/1.1 200"],
      [request("GET /nothing"), "HTTP/1.1 404"],
      [request("GET /../hello"), "HTTP/1.1 404"],
      [request("DELETE /hello", "host: localhost\r\ncontent-type: application/json"), "HTTP/1.1 405"],
      [request("POST /hello", "host: localhost\r\ncontent-type: application/json"), "HTTP/1.1 422"],
      [request("POST /hello"), "HTTP/1.1 403"],
      [request("GET /hello", "host: evil.example"), "HTTP/1.1 403"],
      ["\x16\x03\x01\r\n\r\n", "HTTP/1.1 400"],
      [crypto.getRandomValues(new Uint8Array(20_000)).map((byte) => byte | 0x80), "HTTP/1.1 431"],
      [request("GET /defect"), ""],
    ];
    for (const [text, answer] of cases) assert.equal(await asked(text), answer, String(text).slice(0, 60));
    assert.deepEqual(errors, ["a request to the proxy itself failed"]);
    assert.equal(await hello(path), 200);
  });
});

Deno.test("those who ask nothing make room for one who asks", async () => {
  await serving(async (path) => {
    const idle = await Promise.all(Array.from({ length: 300 }, () => connect(path)));
    const slow = await connect(path);
    await slow.write(new TextEncoder().encode("GET /hello HT"));
    const ends = idle.map((conn) => readAll(conn));
    let ended = 0;
    for (const end of ends) end.then(() => ended++);
    assert.equal(await hello(path), 200);
    await until(() => ended >= 300 - MOST, { what: "the oldest to be cut off" });
    // The rest have five seconds for what they want to say.
    assert.equal(await readAll(slow), "");
    await Promise.all(ends);
  });
});

Deno.test("as many streams as it serves keep others out, until one of them goes", async () => {
  await serving(async (path) => {
    const streams = await Promise.all(Array.from({ length: MOST }, async () => {
      const conn = await connect(path);
      await conn.write(new TextEncoder().encode("GET /silence HTTP/1.1\r\nhost: localhost\r\n\r\n"));
      await conn.read(new Uint8Array(4096));
      return conn;
    }));
    assert.equal(await hello(path), 503);
    streams.pop()!.close();
    await until(async () => await hello(path) === 200, { what: "room" });
    for (const conn of streams) conn.close();
  });
});

Deno.test("an answer that has no end is not kept", async () => {
  await serving(async (path) => {
    const asked = askControl(path, { method: "GET", target: "/endless" });
    await assert.rejects(asked, /its answer is longer than 64 MiB/);
    assert.equal(await hello(path), 200);
  });
});

Deno.test("one who is turned away and has gone meanwhile ends no proxy", async () => {
  const { promise: never } = Promise.withResolvers<never>();
  // The streams take all places.
  const request = new TextEncoder().encode("GET /silence HTTP/1.1\r\nhost: localhost\r\n\r\n");
  const stream = () => {
    let asked = false;
    return {
      read(buffer: Uint8Array) {
        if (asked) return never;
        asked = true;
        buffer.set(request);
        return Promise.resolve(request.length);
      },
      write: (bytes: Uint8Array) => Promise.resolve(bytes.length),
      close() {},
    };
  };
  const late = { ...stream(), write: () => Promise.reject(new Deno.errors.TimedOut("no cable")) };
  const comers = [...Array.from({ length: MOST }, stream), late] as unknown as Deno.Conn[];
  const accept = async () => {
    const comer = comers.shift() ?? await never; // no timer where nobody comes any more
    await new Promise((resolve) => setTimeout(resolve, 5));
    return comer;
  };
  const errors: string[] = [];
  const log = { error: (message: string) => void errors.push(message) } as unknown as Parameters<
    typeof serveHttp
  >[3];
  const listener = { accept } as unknown as Deno.Listener;
  const server = serveHttp(listener, { hosts: TUNNEL, routes: ROUTES }, {} as Subject, log);
  await until(() => errors.length > 0, { what: "the line" });
  assert.deepEqual(errors, ["a request to the proxy itself failed"]);
  server.end();
});
