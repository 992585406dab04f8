/** The transfer blocks, so each test prepares both ends, lets it run, and looks at what has arrived. */
import assert from "node:assert/strict";
import {
  AF_INET,
  EBADF,
  ECONNREFUSED,
  ECONNRESET,
  EPIPE,
  MSG_OOB,
  SOCK_DGRAM,
} from "../../../../ffi/consts.ts";
import { openPipe } from "../../../../ffi/pipe.ts";
import { closeFd, connectSocket, openNonBlocking, sendWithFlags } from "../../../../ffi/sockets/socket.ts";
import { readStream, writeStream } from "../../../../ffi/sockets/stream.ts";
import { ConnectedPeer } from "../../../../src/cli/nc/peer.ts";
import { transfer, type TransferOptions, type TransferResult } from "../../../../src/cli/nc/transfer.ts";
import { check } from "../../../../src/net/error.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import { bytes, closedPort, finish, readText, reset, sendAll, tcpPair } from "../../ffi/support/tcp.ts";

const QUIET: TransferResult = { networkFailure: 0, outputFailure: 0, received: true };

/** A transfer between two pipes and a connection, whose far ends the test holds. */
class Bench implements Disposable {
  readonly far: number;
  /** Writes to standard input. */
  readonly typing: number;
  /** Reads standard output. */
  readonly reading: number;
  readonly #near: number;
  readonly #input: number;
  readonly #output: number;
  readonly #closed = new Set<number>();

  constructor() {
    [this.#near, this.far] = tcpPair();
    const ends = new Int32Array(2);
    check(openPipe(ends), "pipe2");
    [this.#input, this.typing] = ends;
    check(openPipe(ends), "pipe2");
    [this.reading, this.#output] = ends;
  }

  /** Standard input holds this, and ends. */
  type(text: string): void {
    writeStream(this.typing, bytes(text));
    this.close(this.typing);
  }

  run(options: Partial<TransferOptions> & { pipes?: boolean } = {}): TransferResult {
    const { pipes = true, ...rest } = options;
    return transfer({
      peer: new ConnectedPeer(this.#near, { datagrams: false }),
      input: { fd: this.#input, isPipe: pipes },
      output: { fd: this.#output, isPipe: pipes },
      shutdown: false,
      graceMs: null,
      idleMs: 2000,
      ...rest,
    });
  }

  /** Standard output takes nothing more. */
  fillOutput(): void {
    const block = new Uint8Array(4096);
    while (writeStream(this.#output, block) > 0);
  }

  /** The far end resets the connection. */
  reset(): void {
    this.#closed.add(this.far);
    reset(this.far);
  }

  /** The far end, which somebody else closes. */
  giveFar(): number {
    this.#closed.add(this.far);
    return this.far;
  }

  /** Contents of standard output. */
  get printed(): string {
    const buffer = new Uint8Array(65536);
    return new TextDecoder().decode(buffer.subarray(0, Math.max(0, readStream(this.reading, buffer))));
  }

  close(fd: number): void {
    this.#closed.add(fd);
    closeFd(fd);
  }

  [Symbol.dispose](): void {
    for (const fd of [this.#near, this.far, this.typing, this.reading, this.#input, this.#output]) {
      if (!this.#closed.has(fd)) closeFd(fd);
    }
  }
}

for (const pipes of [true, false]) {
  const how = pipes ? "by splice" : "by copying";
  descriptorTest(`transfer() moves both ways and ends when both have ended, ${how}`, () => {
    using bench = new Bench();
    bench.type("question");
    sendAll(bench.far, "answer");
    finish(bench.far);
    assert.deepEqual(bench.run({ pipes }), QUIET);
    assert.equal(bench.printed, "answer");
    // The end of the input alone is not passed on.
    assert.deepEqual(readText(bench.far, 8), { text: "question", end: "open" });
  });

  descriptorTest(`transfer() passes the end of the input on where it is told to, ${how}`, () => {
    using bench = new Bench();
    bench.type("question");
    finish(bench.far);
    bench.run({ pipes, shutdown: true });
    assert.deepEqual(readText(bench.far), { text: "question", end: "end" });
  });

  descriptorTest(`transfer() carries what comes before the end, ${how}`, () => {
    using bench = new Bench();
    bench.type("");
    sendAll(bench.far, "part");
    bench.close(bench.far);
    assert.deepEqual(bench.run({ pipes }), QUIET);
    assert.equal(bench.printed, "part");
  });

  descriptorTest(`transfer() tells a reset, ${how}`, () => {
    using bench = new Bench();
    bench.reset();
    assert.deepEqual(bench.run({ pipes }), {
      networkFailure: -ECONNRESET,
      outputFailure: 0,
      received: false,
    });
  });

  descriptorTest(`transfer() loses no byte to urgent data, ${how}`, () => {
    using bench = new Bench();
    bench.type("");
    sendAll(bench.far, "before");
    assert.equal(sendWithFlags(bench.far, bytes("!"), MSG_OOB), 1);
    sendAll(bench.far, "after");
    finish(bench.far);
    bench.run({ pipes });
    assert.equal(bench.printed, "beforeafter"); // the urgent byte itself is out of band
  });

  descriptorTest(`transfer() waits for what is idle, no longer than it is told, ${how}`, () => {
    using bench = new Bench();
    const start = performance.now();
    assert.deepEqual(bench.run({ pipes, idleMs: 80 }), { ...QUIET, received: false });
    assert.ok(performance.now() - start >= 75);
  });

  descriptorTest(`transfer() stops reading when nobody reads its output, ${how}`, () => {
    using bench = new Bench();
    bench.type("");
    bench.close(bench.reading);
    assert.deepEqual(bench.run({ pipes }), { networkFailure: 0, outputFailure: -EPIPE, received: false });
  });
}

descriptorTest("transfer() ends with the network where it is told to, though there may be more input", () => {
  using bench = new Bench();
  finish(bench.far);
  const start = performance.now();
  bench.run({ graceMs: 0, idleMs: 5000 });
  assert.ok(performance.now() - start < 1000);
  bench.run({ graceMs: 200, idleMs: 5000 });
  assert.ok(performance.now() - start > 190);
  assert.ok(performance.now() - start < 4000);
});

// The thread keeps descriptors of its own for a while.
Deno.test("transfer() ends when the other side is gone, though there may be more input", async () => {
  using bench = new Bench();
  finish(bench.far);
  const far = new Worker(new URL("support/reset_later.ts", import.meta.url), { type: "module" });
  await new Promise((resolve) => far.onmessage = resolve);
  far.postMessage(bench.giveFar());
  const start = performance.now();
  bench.run({ idleMs: 5000 });
  assert.ok(performance.now() - start < 4000);
  far.terminate();
});

descriptorTest("transfer() does not spin while its output is full and the network is gone", () => {
  using bench = new Bench();
  bench.fillOutput();
  sendAll(bench.far, "x".repeat(60_000));
  bench.reset();
  const before = processorMs();
  const start = performance.now();
  bench.run({ pipes: false, idleMs: 500 });
  assert.ok(performance.now() - start >= 490);
  assert.ok(processorMs() - before < 300, `${processorMs() - before} ms of processor time`);
});

descriptorTest("transfer() writes first what was received before", () => {
  using bench = new Bench();
  bench.type("");
  sendAll(bench.far, "second");
  finish(bench.far);
  bench.run({ first: bytes("first") });
  assert.equal(bench.printed, "firstsecond");
});

descriptorTest("transfer() tells when standard output takes nothing", () => {
  using bench = new Bench();
  bench.type("");
  sendAll(bench.far, "x");
  finish(bench.far);
  const result = bench.run({ output: { fd: 1_000_000, isPipe: false } });
  assert.equal(result.outputFailure, -EBADF);
});

descriptorTest("transfer() ends when a datagram was refused", () => {
  using bench = new Bench();
  const fd = check(openNonBlocking(AF_INET, SOCK_DGRAM), "socket");
  check(connectSocket(fd, closedPort()), "connect");
  bench.type("anybody?");
  const result = bench.run({ peer: new ConnectedPeer(fd, { datagrams: true }) });
  assert.deepEqual(result, { networkFailure: -ECONNREFUSED, outputFailure: 0, received: false });
  closeFd(fd);
});

function processorMs(): number {
  const fields = Deno.readTextFileSync("/proc/thread-self/stat").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
