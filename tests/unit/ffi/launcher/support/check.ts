/** The check of the launcher (ffi/launcher/netlink_check.c), compiled for this machine and loaded. */
import { findMachine, MACHINES } from "../../support/machines.ts";
import type { NetlinkLimits } from "../../../../../src/netlink/served/server.ts";

const LAUNCHER = new URL("../../../../../ffi/launcher/", import.meta.url).pathname;
const SOURCES = ["bytes", "check", "flows", "routes", "tables"].map((name) => `${LAUNCHER}netlink_${name}.c`);
const FLAGS = "-std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -shared -fPIC".split(" ");

const SYMBOLS = {
  may_send: { parameters: ["i32", "usize", "usize", "buffer"], result: "i32" },
  mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "usize" },
} as const;

/** Protocols of netlink, in the words of src/netlink/transport.ts. */
export type Protocol = "route" | "netfilter";
const PROTOCOLS: Readonly<Record<Protocol, number>> = { route: 0, netfilter: 12 };

/** Tells whether the server would send a datagram. */
export type MaySend = (protocol: Protocol, datagram: Uint8Array, limits: NetlinkLimits) => boolean;

/** Reason why this machine cannot compile it; undefined: it can. */
export function checkObstacle(): string | undefined {
  const arch = MACHINES.find((name) => name === Deno.build.arch);
  const machine = arch === undefined ? "needs a processor that tproxy is for" : findMachine(arch);
  return typeof machine === "string" ? machine : undefined;
}

let loaded: MaySend | undefined;

/** Compiles and loads it, once. */
export function loadCheck(): MaySend {
  return loaded ??= load();
}

function load(): MaySend {
  const directory = Deno.makeTempDirSync({ prefix: "tproxy-check-" });
  try {
    const library = `${directory}/check.so`;
    const { success, stderr } = new Deno.Command(`${Deno.build.arch}-linux-gnu-gcc`, {
      args: [...FLAGS, "-o", library, ...SOURCES],
    }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const { may_send } = Deno.dlopen(library, { may_send: SYMBOLS.may_send }).symbols;
    const { mmap } = Deno.dlopen("libc.so.6", { mmap: SYMBOLS.mmap }).symbols;
    const fence = new Fence(mmap);
    return (protocol, datagram, { marks, table, port }) =>
      may_send(
        PROTOCOLS[protocol],
        fence.place(datagram),
        BigInt(datagram.length),
        Uint32Array.of(marks, table, port),
      ) !== 0;
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Memory behind which there is none: whoever reads beyond a datagram's end is killed. */
class Fence {
  static readonly SIZE = 1 << 20;
  readonly #end: bigint;
  readonly #bytes: Uint8Array;

  constructor(mmap: (...args: [bigint, bigint, number, number, number, bigint]) => bigint) {
    const [page, readWrite, none, anonymous, fixed] = [4096n, 3, 0, 0x22, 0x10];
    const begin = mmap(0n, BigInt(Fence.SIZE) + 16n * page, readWrite, anonymous, -1, 0n);
    this.#end = begin + BigInt(Fence.SIZE);
    // The next page of any processor: nobody may touch it.
    mmap(this.#end, 16n * page, none, anonymous | fixed, -1, 0n);
    const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(begin)!);
    this.#bytes = new Uint8Array(view.getArrayBuffer(Fence.SIZE));
  }

  /** Copies a datagram to the end; its address. */
  place(datagram: Uint8Array): bigint {
    this.#bytes.set(datagram, Fence.SIZE - datagram.length);
    return this.#end - BigInt(datagram.length);
  }
}
