/**
 * A place on loopback that files are brought from.
 * @module
 */

/** A web server with files; `/stalls` begins an answer and never ends it. */
export class Mirror implements AsyncDisposable {
  readonly files = new Map<string, Uint8Array>();
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  /** Paths whose answers stop half way. */
  readonly stalled = new Set<string>();
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => this.#answer(new URL(request.url).pathname.slice(1)),
  );

  get url(): string {
    return `http://127.0.0.1:${(this.#server.addr as Deno.NetAddr).port}`;
  }

  #answer(name: string): Response {
    this.asked.push(name);
    const bytes = this.files.get(name);
    if (bytes === undefined) return new Response("no such file", { status: 404 });
    if (!this.stalled.has(name)) return new Response(bytes.slice());
    const half = bytes.slice(0, bytes.length / 2);
    const body = new ReadableStream({ start: (controller) => controller.enqueue(half) });
    return new Response(body, { headers: { "content-length": String(bytes.length) } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
