/**
 * The look of packets that leave the router on TCP connections that stand: by which interface, and with which
 * priority, marks and DSCP.
 * @module
 */
import type { Namespace } from "../namespace.ts";

/** Sets of nft (1.0.6) hold no longer keys than two fields and one of these. */
const LOOKS = ["meta oifname", "meta priority", "meta mark", "ct mark", "dscp"] as const;

/** Both ways, each by the end that is the client's: other ends are shared. */
const WAYS = { up: "saddr . tcp sport", down: "daddr . tcp dport" } as const;

/** Looks by flow: `up ip 203.0.113.1 . 40000: ct mark` and its values. */
export type Looks = ReadonlyMap<string, string>;

/** A watch over a router's packets. */
export class Leaving {
  readonly #router: Namespace;

  private constructor(router: Namespace) {
    this.#router = router;
  }

  /** Watches the packets that match these words of nft, those towards clients by the interface. */
  static async watch(router: Namespace, match: string, inner: readonly string[]): Promise<Leaving> {
    const inside = `{ ${inner.map((name) => `"${name}"`).join(", ")} }`;
    const text = kinds().map(({ set, key, way }) => ({
      set: `set ${set} { typeof ${key}; flags dynamic; size 4096; }`,
      rule: `oifname ${way === "up" ? "!=" : ""} ${inside} add @${set} { ${key} }`,
    }));
    await router.nft(`table inet leaving {
      ${text.map(({ set }) => set).join("\n")}
      chain looks {
        ${text.map(({ rule }) => rule).join("\n")}
      }
      chain last {
        type filter hook postrouting priority 400;
        oifname lo accept
        tcp flags & (fin | syn | rst) == 0 ${match} jump looks
      }
    }`);
    return new Leaving(router);
  }

  /** The looks since the last call. */
  async take(): Promise<Looks> {
    const { stdout } = await this.#router.run(["nft", "list", "table", "inet", "leaving"]);
    await this.#router.nft(kinds().map(({ set }) => `flush set inet leaving ${set}`).join("\n"));
    const looks = new Map<string, string>();
    for (const { set, way, protocol, look } of kinds()) {
      const own = stdout.slice(stdout.indexOf(`set ${set} {`));
      const elements = /^[^}]*?elements = \{([^}]*)\}/.exec(own.slice(own.indexOf("\n")))?.[1] ?? "";
      for (const element of elements.split(",").map((text) => text.trim()).filter((text) => text !== "")) {
        const [address, port, value] = element.split(" . ");
        const key = `${way} ${protocol} ${address} . ${port}: ${look}`;
        looks.set(key, [...looks.get(key)?.split(" ") ?? [], value].sort().join(" "));
      }
    }
    return looks;
  }
}

function kinds() {
  return (["up", "down"] as const).flatMap((way) =>
    (["ip", "ip6"] as const).flatMap((protocol) =>
      LOOKS.map((look, number) => ({
        way,
        protocol,
        look,
        set: `${way}_${protocol}_${number}`,
        key: `${protocol} ${WAYS[way]} . ${look === "dscp" ? `${protocol} dscp` : look}`,
      }))
    )
  );
}
