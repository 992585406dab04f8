import assert from "node:assert/strict";
import { EINTR, ENOBUFS } from "../../../src/net/errno.ts";
import { OperationError } from "../../../src/net/error.ts";
import { NetlinkConnection } from "../../../src/netlink/connection.ts";
import {
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
} from "../../../src/netlink/message.ts";
import { ack, fakeConnection, fakeTransport, multipart, nlError } from "./fake_transport.ts";

const request = { type: 100, body: Uint8Array.of(1, 2, 3, 4) };
const purpose = { operation: "add thing", object: "x" };

function failureOf(action: () => unknown): OperationError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof OperationError, `not an OperationError: ${error}`);
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was thrown" });
}

Deno.test("execute() asks for an acknowledgement and returns what comes before it", () => {
  const transport = fakeTransport(([sent]) => {
    const reply = {
      type: 101,
      flags: 0,
      sequence: sent.sequence,
      portId: 7,
      body: Uint8Array.of(9, 9, 9, 9),
    };
    const stale = { ...reply, sequence: sent.sequence - 1 };
    return [nlError({ ...sent, sequence: sent.sequence - 1 }, 5), stale, reply, ack(sent)];
  });
  const connection = new NetlinkConnection(transport);
  const replies = connection.execute({ ...request, flags: 0x400 }, purpose);
  assert.deepEqual(replies.map(({ type, body }) => [type, [...body]]), [[101, [9, 9, 9, 9]]]);
  assert.equal(transport.sent[0][0].flags, NLM_F_REQUEST | NLM_F_ACK | 0x400);
  connection.execute(request, purpose);
  assert.notEqual(transport.sent[0][0].sequence, transport.sent[1][0].sequence);
});

Deno.test("execute() throws the kernel's error with its words, quoted request or not", () => {
  for (const whole of [false, true]) {
    const connection = fakeConnection((
      [sent],
    ) => [nlError(sent, 17, { text: "It is there", offset: 20, whole })]);
    const error = failureOf(() => connection.execute(request, purpose));
    assert.equal(
      error.message,
      'Cannot add thing "x": EEXIST (File exists), kernel: It is there; it refuses byte 20 of the request',
    );
    assert.deepEqual([error.errno, error.code], [17, "EEXIST"]);
  }
});

Deno.test("execute() says that root is needed when the kernel says EPERM", () => {
  const connection = fakeConnection(([sent]) => [nlError(sent, 1)]);
  assert.match(failureOf(() => connection.execute(request, purpose)).hint, /root \(CAP_NET_ADMIN\)/);
});

Deno.test("execute() gives up when no answer comes, and goes on after EINTR", () => {
  const error = failureOf(() => fakeConnection(() => []).execute(request, purpose));
  assert.match(error.message, /EAGAIN .*no answer came/);
  assert.deepEqual(fakeConnection(([sent]) => [-EINTR, ack(sent)]).execute(request, purpose), []);
});

Deno.test("dump() collects the parts up to the end", () => {
  const transport = fakeTransport(([sent]) =>
    multipart(sent, { type: 101, bodies: [Uint8Array.of(1, 0, 0, 0), Uint8Array.of(2, 0, 0, 0)] })
  );
  const messages = new NetlinkConnection(transport).dump(request, purpose);
  assert.deepEqual(messages.map(({ body }) => body[0]), [1, 2]);
  assert.equal(transport.sent[0][0].flags, NLM_F_REQUEST | NLM_F_DUMP);
});

Deno.test("dump() asks again when a change interrupted it, or the socket overran", () => {
  let attempt = 0;
  const connection = fakeConnection(([sent]) => {
    attempt++;
    const bodies = [Uint8Array.of(attempt, 0, 0, 0)];
    const answers = multipart(sent, { type: 101, bodies, flags: attempt === 1 ? NLM_F_DUMP_INTR : 0 });
    return attempt === 2 ? [-ENOBUFS, ...answers] : answers;
  });
  assert.deepEqual(connection.dump(request, purpose).map(({ body }) => body[0]), [3]);
});

Deno.test("dump() ends with an error when it is interrupted for ever, and when the kernel refuses", () => {
  const restless = fakeConnection(([sent]) =>
    multipart(sent, { type: 101, bodies: [new Uint8Array(4)], flags: NLM_F_DUMP_INTR })
  );
  assert.match(failureOf(() => restless.dump(request, purpose)).message, /changes faster/);
  assert.equal(
    failureOf(() => fakeConnection(([sent]) => [nlError(sent, 2)]).dump(request, purpose)).errno,
    2,
  );
  const failsAtTheEnd = fakeConnection(([sent]) => {
    const body = new Uint8Array(new Int32Array([-12]).buffer);
    return [{ type: NLMSG_DONE, flags: 2, sequence: sent.sequence, portId: 0, body }];
  });
  assert.equal(failureOf(() => failsAtTheEnd.dump(request, purpose)).errno, 12);
});

const frame = { begin: { type: 16, body: new Uint8Array(4) }, end: { type: 17, body: new Uint8Array(4) } };
const commands = ["a", "b", "c"].map((object) => ({ request, purpose: { operation: "add", object } }));

Deno.test("batch() sends one datagram with rising sequence numbers and one acknowledgement", () => {
  const transport = fakeTransport((sent) => [ack(sent[3])]);
  new NetlinkConnection(transport).batch(commands, frame);
  assert.equal(transport.sent.length, 1);
  const [sent] = transport.sent;
  assert.deepEqual(sent.map(({ type }) => type), [16, 100, 100, 100, 17]);
  assert.deepEqual(sent.map(({ sequence }) => sequence - sent[0].sequence), [0, 1, 2, 3, 4]);
  assert.deepEqual(sent.map(({ flags }) => (flags & NLM_F_ACK) !== 0), [false, false, false, true, false]);
});

Deno.test("batch() throws the error of the first command that failed", () => {
  const connection = fakeConnection((sent) => [nlError(sent[2], 17, { text: "twice" }), nlError(sent[3], 2)]);
  const error = failureOf(() => connection.batch(commands, frame));
  assert.equal(error.message, 'Cannot add "b": EEXIST (File exists), kernel: twice');
});

Deno.test("batch() reports what the kernel says of the whole batch", () => {
  const error = failureOf(() => fakeConnection((sent) => [nlError(sent[0], 1)]).batch(commands, frame));
  assert.match(error.message, /^Cannot commit "nf_tables batch": EPERM .*CAP_NET_ADMIN/);
  const silent = failureOf(() => fakeConnection(() => []).batch(commands, frame));
  assert.match(silent.message, /no answer came/);
});

Deno.test("batch() survives an overrun socket and still names the command", () => {
  const connection = fakeConnection((sent) => [-ENOBUFS, nlError(sent[1], 2)]);
  assert.equal(failureOf(() => connection.batch(commands, frame)).object, "a");
});

Deno.test("close() closes the transport", () => {
  const transport = fakeTransport(() => []);
  new NetlinkConnection(transport).close();
  assert.ok(transport.closed);
});
