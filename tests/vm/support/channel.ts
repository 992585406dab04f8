/**
 * The talk with runner.sh in a machine: a step goes in, what it prints and its exit code come back.
 * @module
 */
import { Buffer } from "node:buffer";

/** Result of a step. */
export interface StepResult {
  /** 124 or 143: it ran into its time limit. */
  readonly code: number;
  /** Standard output and error, as they came. */
  readonly output: string;
  readonly seconds: number;
}

/** Both directions of the port "control". */
export class Channel {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #log: (text: string) => void;
  #received = "";
  #ended = false;
  #woken = Promise.withResolvers<void>();
  #steps = 0;

  constructor(
    streams: { stdin: WritableStream<Uint8Array>; stdout: ReadableStream<Uint8Array> },
    log: (text: string) => void,
  ) {
    this.#writer = streams.stdin.getWriter();
    this.#log = log;
    this.#reading = this.#read(streams.stdout);
  }

  /** Waits for the runner; gives the machine's own uptime in seconds. */
  async ready(timeoutMs: number): Promise<number> {
    const [, uptime] = await this.#expect(/@@ ready ([\d.]+)\n/, timeoutMs, "the machine to start");
    return Number(uptime);
  }

  /** Runs a shell script to its end. */
  async run(name: string, script: string, limitSeconds: number): Promise<StepResult> {
    const start = performance.now();
    const nonce = `${++this.#steps}-${crypto.randomUUID()}`;
    this.#log(`\n@@ step ${name}\n${script.trim()}\n--\n`);
    const line = `${nonce} ${limitSeconds} ${Buffer.from(script).toString("base64")}\n`;
    await this.#writer.write(new TextEncoder().encode(line));
    const end = new RegExp(`^([\\s\\S]*?)\\n@@ exit ${nonce} (\\d+)\\n`);
    // The machine itself ends the step; only one that hangs altogether needs more.
    const [, output, code] = await this.#expect(end, (limitSeconds + 20) * 1000, `step "${name}"`);
    const seconds = (performance.now() - start) / 1000;
    this.#log(`@@ ${seconds.toFixed(1)} s\n`);
    return { code: Number(code), output: output.trim(), seconds };
  }

  /** Says that nothing more will come: the machine ends. */
  async close(): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#reading;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const text = decoder.decode(chunk, { stream: true });
      this.#log(text);
      this.#received += text;
      this.#wake();
    }
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }

  /** Takes what has come up to the end of a match. */
  async #expect(pattern: RegExp, timeoutMs: number, what: string): Promise<RegExpExecArray> {
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      this.#wake();
    }, timeoutMs);
    try {
      for (;;) {
        const match = pattern.exec(this.#received);
        if (match !== null) {
          this.#received = this.#received.slice(match.index + match[0].length);
          return match;
        }
        if (this.#ended) throw new Error(`The machine ended while the test waited for ${what}`);
        if (expired) throw new Error(`Timed out after ${timeoutMs / 1000} s waiting for ${what}`);
        await this.#woken.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
