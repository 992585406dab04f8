/**
 * Lists of names and of networks, and the names in them.
 * @module
 */
import assert from "node:assert/strict";
import { parseNetworkList } from "../../../src/config/values/networks.ts";
import { canonicalize, canonicalName } from "../../../src/names/canonical.ts";
import { Entries } from "../../../src/names/list/entries.ts";
import { findInList } from "../../../src/names/list/find.ts";
import { Lines } from "../../../src/names/list/lines.ts";
import { readList } from "../../../src/names/list/read.ts";
import { formatPattern, parsePattern } from "../../../src/names/pattern.ts";
import { NameTableBuilder } from "../../../src/names/table/builder.ts";
import { formatPrefix } from "../../../src/net/ip.ts";
import { asker, SEED } from "../../unit/names/support/sets.ts";
import { kindOf, orRefusal, type Parser } from "../parser.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Hosts, names alone, those of ad blockers and of dnsmasq. */
export const domainList: Parser = {
  name: "domain-list",
  samples: () =>
    [
      "0.0.0.0 a.test b.test # x\n127.0.0.1 localhost\n::1 ip6-localhost\nbare.test\n",
      "[Adblock Plus 2.0]\n! x\n||a.test^\n@@||b.a.test^\n||c.test^$important\n",
      "local=/a.test/\naddress=/b.test/0.0.0.0\nserver=/c.test/#\n*.d.test\n.e.test\n",
      "bücher.test\nxn--bcher-kva.test\n。example。test\n",
    ].map(encode),
  words: [
    ...[
      "0.0.0.0 ",
      "||",
      "@@||",
      "^",
      "$important",
      "address=/",
      "local=/",
      "/",
      "*.",
      "\n",
      "\r\n",
      "#",
      "\0",
    ],
    ...["ü", "。", "\u00ad", "ß", "xn--", "a.test", `${"a".repeat(63)}.`, "\ufeff", "\u200d", "ﷺ", "\u0301"],
  ],
  read(input) {
    const names: string[] = [];
    const copy = new Uint8Array(253);
    const entries = new Entries((_kind, name, length) => {
      assert.equal(canonicalize(name, 0, length, copy), length);
      const text = decode(name.subarray(0, length));
      assert.equal(decode(copy.subarray(0, length)), text);
      names.push(text);
    });
    const lines = new Lines(input);
    while (lines.read(entries));
    return orRefusal(() => {
      const set = new NameTableBuilder(SEED);
      const { names: added, duplicates, skipped, firstSkipped } = readList(input, "list", set);
      assert.equal(added + duplicates, names.length);
      assert.doesNotMatch(firstSkipped?.text ?? "", /\p{Cc}/u, "a line that would disturb a terminal");
      const has = asker(set.build());
      for (const name of names.slice(0, 4)) {
        const { entry, exception } = findInList(input, name);
        assert.equal(has(name), entry !== undefined && exception === undefined, name);
      }
      return `${Math.min(added, 9)} ${Math.min(duplicates, 9)} ${Math.min(skipped, 9)}`;
    });
  },
};

/** Networks. */
export const networkList: Parser = {
  name: "network-list",
  samples: () => [encode("10.0.0.0/8\n192.0.2.1 # x\nfc00::/7 ; y\n2001:db8::1\n::ffff:192.0.2.0/120\n")],
  words: ["10.0.0.0/8\n", "::", "/33", "/128", "\n", "#", "fe80::1%eth0", "\ufeff", "0x", "1e3", "\r"],
  read: (input) =>
    orRefusal(() => {
      const networks = parseNetworkList(decode(input), "list");
      const text = networks.map(formatPrefix).join("\n");
      assert.deepEqual(parseNetworkList(text, "list"), networks);
      return `${networks.length}`;
    }),
};

/** A pattern of `domains`. */
export const pattern: Parser = {
  name: "domain-pattern",
  samples: () => ["example.com", "*.example.com", ".bücher.example.", "1.2.3.4", "http://x/"].map(encode),
  words: ["*.", ".", "xn--", "ü", "。", "\u00ad", "ß", ":80", "0x", "[::1]", "/", "\u200d", "ﷺ", "%2e", "@"],
  read(input) {
    const read = parsePattern(decode(input));
    if (!("kind" in read)) return kindOf(read.problem);
    assert.equal(canonicalName(read.name), read.name, "it has another form yet");
    assert.deepEqual(parsePattern(formatPattern(read)), read);
    return `${read.kind} ${read.name.split(".").length}`;
  },
};
