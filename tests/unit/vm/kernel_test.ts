import assert from "node:assert/strict";
import { findModules } from "../../vm/support/kernel.ts";

Deno.test("findModules() gives each module after what it needs, and leaves out what the image holds", () => {
  const modules = Deno.makeTempDirSync();
  try {
    const module = (path: string, depends: string) => {
      Deno.mkdirSync(`${modules}/kernel/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
      Deno.writeTextFileSync(`${modules}/kernel/${path}`, `ELF\0license=GPL\0depends=${depends}\0name=x\0`);
    };
    module("net/nf-tables.ko", "libcrc32c,nfnetlink");
    module("net/nfnetlink.ko", "");
    module("lib/libcrc32c.ko", "");
    module("crypto/crc32c_generic.ko", "");
    module("net/nft_tproxy.ko", "nf-tables,ipv6");
    Deno.writeTextFileSync(`${modules}/modules.builtin`, "kernel/net/ipv6/ipv6.ko\n");
    const kernel = { release: "6.1-test", image: "", modules };
    assert.deepEqual(findModules(kernel, ["nft_tproxy", "nf_tables"]).map(({ name }) => name), [
      "crc32c_generic",
      "libcrc32c",
      "nfnetlink",
      "nf_tables",
      "nft_tproxy",
    ]);
    assert.throws(() => findModules(kernel, ["nft_socket"]), /6\.1-test has no module nft_socket/);
  } finally {
    Deno.removeSync(modules, { recursive: true });
  }
});
