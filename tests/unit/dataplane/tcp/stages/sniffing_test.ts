/** Flows whose name decides, on sockets: what is dialled when, what is read, and that no byte is lost. */
import assert from "node:assert/strict";
import { ECONNRESET } from "../../../../../ffi/consts.ts";
import { descriptorTest } from "../../../ffi/support/descriptors.ts";
import { assertSameBytes, bytes, finish, pattern, reset, sendAll } from "../../../ffi/support/tcp.ts";
import { recorded, recordingsOf } from "../../../sniff/recordings.ts";
import { BLOCKS, NamedFlows, SENDS } from "../../support/named_flows.ts";

const request = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

descriptorTest(
  "Where no name leads to an upstream the server is dialled at once, and hears nothing before",
  async () => {
    using flows = new NamedFlows(BLOCKS);
    const client = flows.client();
    const server = await flows.accept(flows.server);
    sendAll(client, "GET / HTTP/1.1\r\n");
    flows.bench.settle();
    assert.equal(flows.bench.relayed().up, 0);
    sendAll(client, "Host: allowed.example\r\n\r\nbody");
    const expected = `${request("allowed.example")}body`;
    assert.equal((await flows.read(server, expected.length)).text, expected);
    assert.deepEqual(flows.bench.counts(), { connected: 1, sniffHttp: 1 });
  },
);

descriptorTest(
  "A name that is blocked ends the flow at both ends, and its server has heard nothing",
  async () => {
    using flows = new NamedFlows(BLOCKS);
    const client = flows.client();
    const server = await flows.accept(flows.server);
    sendAll(client, request("ads.blocked.example"));
    assert.equal((await flows.read(client)).end, -ECONNRESET);
    const heard = await flows.read(server);
    assert.deepEqual([heard.text, heard.end], ["", -ECONNRESET]);
    assert.deepEqual(flows.bench.counts(), { connected: 1, sniffHttp: 1 });
  },
);

descriptorTest("A server that speaks first ends the wait", async () => {
  using flows = new NamedFlows(BLOCKS);
  const client = flows.client();
  const server = await flows.accept(flows.server);
  sendAll(server, "220 mail");
  const start = performance.now();
  assert.equal((await flows.read(client, 8)).text, "220 mail");
  assert.ok(performance.now() - start < 50);
  sendAll(client, "EHLO");
  assert.equal((await flows.read(server, 4)).text, "EHLO");
  assert.deepEqual(flows.bench.counts(), { connected: 1, sniffServerFirst: 1 });
});

descriptorTest("A server that ends before the client speaks ends the wait", async () => {
  using flows = new NamedFlows(BLOCKS);
  const [client, other] = [flows.client(), flows.client()];
  const [server, another] = [await flows.accept(flows.server), await flows.accept(flows.server)];
  finish(server);
  assert.equal((await flows.read(client)).end, "end");
  reset(flows.leave(another));
  assert.equal((await flows.read(other)).end, -ECONNRESET);
});

descriptorTest("Where a name may lead to an upstream nobody is dialled before it is known", async () => {
  using flows = new NamedFlows(SENDS);
  const ends = [
    ["files.office.example", flows.office, flows.server],
    ["allowed.example", flows.server, flows.office],
  ] as const;
  for (const [name, there, elsewhere] of ends) {
    const client = flows.client();
    flows.assertUntouched(flows.server);
    sendAll(client, request(name));
    const server = await flows.accept(there);
    assert.equal((await flows.read(server, request(name).length)).text, request(name));
    flows.assertUntouched(elsewhere);
    sendAll(server, "answer");
    finish(client);
    finish(server);
    assert.equal((await flows.read(client)).text, "answer");
  }
  const client = flows.client();
  sendAll(client, request("ads.blocked.example"));
  assert.equal((await flows.read(client)).end, -ECONNRESET);
  flows.assertUntouched(flows.server);
  flows.assertUntouched(flows.office);
});

descriptorTest("What is neither TLS nor HTTP has no name, at once", async () => {
  using flows = new NamedFlows(SENDS);
  const client = flows.client();
  sendAll(client, "SSH-2.0-x\r\n".toLowerCase());
  const server = await flows.accept(flows.server);
  assert.equal((await flows.read(server, 5)).text, "ssh-2.0-x\r\n");
  assert.deepEqual(flows.bench.counts(), { connected: 1, sniffNone: 1 });
});

descriptorTest(
  "Every recorded hello is read, whole or byte by byte, and arrives as it was sent",
  async () => {
    for (const name of [...recordingsOf("tls"), ...recordingsOf("http")]) {
      for (const step of [Infinity, 100, 1]) {
        using flows = new NamedFlows({
          rules: [{ name: "r", domains: ["recorded.example"], action: "proxy", upstream: "office" }],
        });
        const [stream] = recorded(name);
        const client = flows.client();
        for (let at = 0; at < stream.length; at += step) {
          sendAll(client, stream.slice(at, Math.min(stream.length, at + step)));
          flows.bench.turn();
        }
        sendAll(client, "more");
        const isNamed = !/nameless|address/.test(name);
        const place = isNamed ? flows.office : flows.server;
        const server = await flows.accept(place);
        assertSameBytes(
          (await flows.read(server, stream.length + 4)).data,
          new Uint8Array([...stream, ...bytes("more")]),
        );
      }
    }
  },
);

descriptorTest("The worker sleeps until as much of a hello is there as is needed", async () => {
  using flows = new NamedFlows(SENDS);
  const [stream] = recorded("tls-chromium");
  const client = flows.client();
  sendAll(client, stream.slice(0, 100));
  flows.bench.settle();
  let woken = 0;
  for (let at = 100; at < stream.length - 1; at++) {
    sendAll(client, stream.slice(at, at + 1));
    woken += flows.bench.turn();
  }
  assert.equal(woken, 0);
  sendAll(client, stream.slice(stream.length - 1));
  await flows.accept(flows.server);
});

descriptorTest("Behind a head that came in parts every byte wakes the worker again", async () => {
  using flows = new NamedFlows(SENDS);
  const head = request("a.office.example");
  const client = flows.client();
  sendAll(client, head.slice(0, 20));
  flows.bench.settle();
  sendAll(client, head.slice(20));
  const server = await flows.accept(flows.office);
  assert.equal((await flows.read(server, head.length)).text, head);
  sendAll(client, "x");
  assert.equal((await flows.read(server, 1)).text, "x");
});

descriptorTest("A client that says nothing has no name when timeouts.sniff is over", async () => {
  using flows = new NamedFlows(SENDS, { sniffMs: 300 });
  const client = flows.client();
  const start = performance.now();
  const server = await flows.accept(flows.server);
  const waited = performance.now() - start;
  assert.ok(waited > 190 && waited < 500, `${waited} ms`);
  sendAll(client, "later");
  assert.equal((await flows.read(server, 5)).text, "later");
  assert.deepEqual(flows.bench.counts(), { connected: 1, sniffTimeouts: 1 });
});

descriptorTest("A head that has begun has three seconds, however late it began", async () => {
  using flows = new NamedFlows(SENDS, { sniffMs: 200 });
  const [late, never] = [flows.client(), flows.client()];
  sendAll(late, "GET / HTTP/1.1\r\n");
  sendAll(never, "GET / HTTP/1.1\r\n");
  const start = performance.now();
  await flows.bench.until(() => performance.now() - start > 2500);
  flows.assertUntouched(flows.server);
  sendAll(late, "Host: a.office.example\r\n\r\n");
  await flows.accept(flows.office);
  const server = await flows.accept(flows.server);
  const waited = performance.now() - start;
  assert.ok(waited > 2850 && waited < 3500, `${waited} ms`);
  assert.equal((await flows.read(server, 16)).text, "GET / HTTP/1.1\r\n");
});

descriptorTest("A client that ends in its head, or without a word, has no name", async () => {
  using flows = new NamedFlows(SENDS);
  for (const said of ["GET / HTTP/1.1\r\nHost: a.office.exa", ""]) {
    const client = flows.client();
    if (said !== "") sendAll(client, said);
    finish(client);
    const start = performance.now();
    const server = await flows.accept(flows.server);
    assert.ok(performance.now() - start < 1000);
    const heard = await flows.read(server);
    assert.deepEqual([heard.text, heard.end], [said, "end"]);
    sendAll(server, "answer");
    finish(server);
    assert.equal((await flows.read(client)).text, "answer");
  }
});

descriptorTest(
  "A client that resets is forgotten, and a server that was dialled for it is reset",
  async () => {
    using flows = new NamedFlows(SENDS);
    const client = flows.leave(flows.client());
    sendAll(client, "GET /");
    flows.bench.settle();
    reset(client);
    await flows.bench.until(() => flows.bench.sessions.size === 0);
    flows.assertUntouched(flows.server);
    flows.adopt(BLOCKS);
    const another = flows.leave(flows.client());
    const server = await flows.accept(flows.server);
    sendAll(another, "GET /");
    flows.bench.settle();
    reset(another);
    assert.equal((await flows.read(server)).end, -ECONNRESET);
    assert.deepEqual(flows.bench.counts(), { connected: 1, reset: 2 });
  },
);

descriptorTest("What comes behind the name is not read, and none of it is lost", async () => {
  using flows = new NamedFlows(SENDS);
  const head = bytes(request("a.office.example"));
  const body = pattern(85_000);
  const client = flows.client();
  sendAll(client, head);
  sendAll(client, body);
  const server = await flows.accept(flows.office);
  const heard = await flows.read(server, head.length + body.length);
  assertSameBytes(heard.data, new Uint8Array([...head, ...body]));
});

descriptorTest("A head that does not end has no name when 8 KiB of it are there", async () => {
  using flows = new NamedFlows(SENDS);
  const client = flows.client();
  const head = `GET / HTTP/1.1\r\n${"X-Y: 12345\r\n".repeat(1000)}`;
  sendAll(client, head);
  const server = await flows.accept(flows.server);
  assert.equal((await flows.read(server, head.length)).text, head);
  assert.deepEqual(flows.bench.counts(), { connected: 1, sniffNone: 1 });
});

descriptorTest(
  "A server that has once spoken first is not waited for again, until its client does",
  async () => {
    using flows = new NamedFlows(SENDS, { sniffMs: 1000 });
    const waits = async (isServer: boolean) => {
      const start = performance.now();
      const client = flows.client();
      const server = await flows.accept(flows.server);
      const waited = performance.now() - start;
      flows.bench.settle();
      sendAll(isServer ? server : client, "2");
      assert.equal((await flows.read(isServer ? client : server, 1)).text, "2");
      return waited;
    };
    assert.ok(await waits(true) > 800);
    assert.ok(await waits(true) < 500);
    assert.ok(await waits(false) < 500);
    assert.ok(await waits(false) > 800);
    assert.ok(await waits(false) > 800);
  },
);

descriptorTest("A server that was dialled ahead and refuses is a refusal, whatever the name", async () => {
  using flows = new NamedFlows(BLOCKS);
  flows.server.address.set(bytes("\u0000\u0001"), 2); // port 1
  const client = flows.client();
  assert.equal((await flows.read(client)).end, -ECONNRESET);
  assert.deepEqual(flows.bench.counts(), { refused: 1 });
});

descriptorTest(
  "Rules that come into force meanwhile decide: nothing goes past an upstream of theirs",
  async () => {
    using flows = new NamedFlows(BLOCKS);
    const client = flows.client();
    const server = await flows.accept(flows.server);
    flows.bench.settle();
    flows.adopt(SENDS);
    sendAll(client, request("a.office.example"));
    const office = await flows.accept(flows.office);
    const expected = request("a.office.example");
    assert.equal((await flows.read(office, expected.length)).text, expected);
    assert.equal((await flows.read(server)).text, "");
  },
);

descriptorTest("A name that nobody needs is not waited for", async () => {
  using flows = new NamedFlows({ ...SENDS, rules: [{ name: "all", action: "direct" }, ...SENDS.rules] });
  flows.client();
  await flows.accept(flows.server);
  flows.bench.settle();
  assert.deepEqual(flows.bench.counts(), { connected: 1 });
});
