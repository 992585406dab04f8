/** Upstreams over reloads: their places in shared memory, and whom addresses are told to. */
import assert from "node:assert/strict";
import { readSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { Upstreams } from "../../../../src/daemon/upstreams/upstreams.ts";
import { loadConfig } from "../../../../src/config/load.ts";
import { settingsOf, withAddresses } from "../../../../src/dataplane/settings.ts";
import { UpstreamHealth } from "../../../../src/dataplane/upstream/health.ts";
import { createLogger } from "../../../../src/log.ts";
import { formatEndpoint, parseIp } from "../../../../src/net/ip.ts";

const NAMED = "upstreams: { office: { type: socks5, address: proxy.example:1080 } }";
const LITERAL = "upstreams: { office: { type: socks5, address: 192.0.2.7:1080 } }";

/** Plays the workers and the world around the upstreams of configs. */
class Play implements Disposable {
  readonly health = new UpstreamHealth(new UpstreamHealth(1).buffer, 0);
  spared = "";
  /** Settings that the workers have. */
  settings = this.#settingsOf(NAMED, []);
  readonly upstreams = new Upstreams({
    log: createLogger({ level: "error", format: "text", write: () => {} }),
    resolve: () => Promise.resolve({ addresses: [parseIp("192.0.2.1")!], ttlSeconds: 60 }),
    check: () => Promise.resolve({ kind: "works" }),
    spare: (places) => void (this.spared = places.map(formatEndpoint).join()),
    now: () => 0,
    chance: () => 0,
  });
  readonly #workers = {
    upstreams: this.health,
    tellAddresses: (place: number, list: readonly Uint8Array<ArrayBuffer>[]) =>
      void (this.settings = withAddresses(this.settings, { place, list })),
  };

  /** Has the workers take a config. The function puts it into force. */
  take(text: string): () => void {
    const loaded = this.#load(text);
    const own = this.upstreams.prepare({ loaded, secrets: new Map() });
    const settings = this.settings = this.#settingsOf(text, own);
    return () => this.upstreams.adopt({ loaded, settings }, this.#workers);
  }

  addresses(): string {
    return this.settings.upstreams.flatMap(({ addresses }) => addresses)
      .map((address) => formatEndpoint(readSockaddr(address))).join();
  }

  [Symbol.dispose](): void {
    this.upstreams.end();
  }

  #settingsOf(text: string, upstreams: Parameters<typeof settingsOf>[2]) {
    return settingsOf(this.#load(text).config, { connections: 1, udpSessions: 1 }, upstreams);
  }

  #load(text: string) {
    return loadConfig({ path: "tproxy.yaml", readTextFile: () => text });
  }
}

Deno.test("addresses of a name are told to the workers, and the kernel spares them", async () => {
  using play = new Play();
  play.take(NAMED)();
  await Promise.resolve();
  assert.equal(play.addresses(), "192.0.2.1:1080");
  assert.equal(play.spared, "192.0.2.1:1080");
});

Deno.test("an upstream that gets another address is not told those of its name", async () => {
  using play = new Play();
  play.take(NAMED)();
  await Promise.resolve();
  const adopt = play.take(LITERAL);
  play.upstreams.tellAddresses(); // while those before are still in force
  assert.equal(play.addresses(), "192.0.2.7:1080");
  adopt();
  assert.equal(play.addresses(), "192.0.2.7:1080");
  assert.equal(play.spared, "");
});

Deno.test("an upstream keeps the place that workers use before it is in force", () => {
  using play = new Play();
  const adopt = play.take(LITERAL);
  const [{ place }] = play.settings.upstreams;
  play.health.addConnections(place, 1);
  adopt();
  assert.equal(play.upstreams.status()[0].connections, 1);
  play.take(LITERAL)();
  assert.equal(play.settings.upstreams[0].place, place);
});
