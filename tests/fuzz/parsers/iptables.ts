/**
 * Tables of iptables: as the kernel hands them out (legacy), and as `iptables-save` prints them.
 * @module
 */
import { decodeLegacyTable } from "../../../src/doctor/machine/legacy/decode.ts";
import { walkBaseChain } from "../../../src/doctor/packet/packet_walk.ts";
import { formatRule } from "../../../src/doctor/packet/rule_text.ts";
import { canonicalRule, parseSaved, toTableRules } from "../../../src/kernel/iptables/state/saved.ts";
import { FAMILIES } from "../../../src/net/families.ts";
import { CLIENT } from "../../unit/doctor/support/packets.ts";
import { recordedTables } from "../../unit/doctor/machine/legacy/recorded.ts";
import { join } from "../engine/mutate.ts";
import { kindOf, orRefusal, type Parser } from "../parser.ts";

const TABLES = FAMILIES.flatMap(recordedTables);

/** Entries of a table; the first byte tells whose head they have. */
export const legacy: Parser = {
  name: "iptables-legacy",
  most: 16_384,
  longestMs: 5000, // packets walk through 2000 chains, each of up to 100 rules
  samples: () => TABLES.map(({ entries }, index) => join([index], entries)),
  words: ["ERROR\0", "MARK\0", "multiport\0", "conntrack\0", "TPROXY\0", "\xff\xff\xff\xff"],
  read: (input) =>
    orRefusal(() => {
      const head = TABLES[(input[0] ?? 0) % TABLES.length];
      const chains = decodeLegacyTable({ ...head, entries: input.subarray(1) });
      const kinds = chains.map(({ chain, table }) => {
        if (table === undefined) return "none";
        const { verdict } = walkBaseChain(table, chain, { ...CLIENT, family: head.family });
        const { findSet } = table;
        const texts = table.rules.map(({ expressions }) =>
          kindOf(formatRule(expressions, { tongue: "iptables", findSet }))
        );
        return `${verdict} ${texts.slice(0, 3).join()}`;
      });
      return kinds.join(" ").slice(0, 300);
    }),
};

const FOLDER = new URL("../../testdata/iptables/", import.meta.url);

/** The text of `iptables-save`. */
export const saved: Parser = {
  name: "iptables-save",
  most: 16_384,
  samples: () => {
    const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) =>
      name.endsWith(".txt")
    );
    return names.sort().map((name) => Deno.readFileSync(new URL(name, FOLDER)));
  },
  words: [
    "*mangle\n",
    "-A PREROUTING -j ",
    "TPROXY_",
    ":PREROUTING ACCEPT [0:0]\n",
    "COMMIT\n",
    " ! -",
    "\n",
  ],
  read(input) {
    const tables = parseSaved(new TextDecoder().decode(input)).map(toTableRules);
    const rules = tables.flatMap(({ chains }) =>
      chains.flatMap(({ rules }) => rules.map(({ text }) => text))
    );
    return `${tables.map(({ table }) => table).join()} ${new Set(rules.map(canonicalRule)).size}`;
  },
};
