/**
 * The table as text for `nft -f`, with the reasons as comments. Pure.
 * @module
 */
import { commentLine } from "../backend/script_head.ts";
import type { PlannedSet } from "../plan/rules/set.ts";
import type { ChainHook, CompiledChain, CompiledTable } from "./model.ts";
import { inReadingOrder } from "./reading_order.ts";
import { quote, renderRule } from "./rule_text.ts";
import { elementTexts, setProperties } from "./set_elements.ts";

/** Prefixes of nft's names for priorities, linux/netfilter_ipv4.h. */
const PRIORITIES: Readonly<Record<number, string>> = {
  [-310]: "raw - 10",
  [-160]: "mangle - 10",
  [-300]: "raw",
  [-90]: "dstnat + 10",
};

/** Networks on a line of a long list. */
const ELEMENTS_PER_LINE = 8;

const HEAD = [
  "# page: nft add table filter",
  "# A table of our own, of both families. Add and delete: the transaction works whether the table is there or not, and",
  "# no packet sees a moment without it",
];

/** Lines of the kernel's page for the chain `divert`. */
const PAGE_DIVERT = [
  'page: nft add chain filter divert "{ type filter hook prerouting priority -150; }"',
  "page: nft add rule filter divert meta l4proto tcp socket transparent 1 meta mark set 1 accept",
  'Here "mark set mark | 0x1": the other bits are other programs\'',
];

/** Lines of the page for a chain that steers to a listener. */
const PAGE_TPROXY = [
  "page: nft add rule filter divert tcp dport 80 tproxy to :50080 meta mark set 1 accept",
  "Here with the listener's address: one on all addresses would take connections to port 50080 of any server",
];

/** Renders a transaction that replaces the table, whether it is there or not. */
export function renderNft(table: CompiledTable): string {
  const head = `table inet ${table.name}`;
  return [...HEAD, `add ${head}`, `delete ${head}`, ...renderTable(table), ""].join("\n");
}

/** Renders the table, a line each. */
export function renderTable(table: CompiledTable): string[] {
  return [
    `table inet ${table.name} {`,
    `\tcomment ${quote(table.comment)}`,
    ...(table.flags === undefined ? [] : [`\tflags ${table.flags.join(",")}`]),
    ...table.sets.flatMap(renderSet),
    ...inReadingOrder(table.chains).flatMap(renderChain),
    "}",
  ];
}

function renderSet(set: PlannedSet): string[] {
  const elements = set.type === "ifname" ? set.elements.map(quote) : elementTexts(set);
  const { type, values, size, flags, timeoutMs } = setProperties(set);
  return [
    "",
    `\t${commentLine(set.reason)}`,
    `\t${values === undefined ? "set" : "map"} ${set.name} {`,
    `\t\ttype ${type.join(" . ")}${values === undefined ? "" : ` : ${values}`}`,
    ...(size === undefined ? [] : [`\t\tsize ${size}`]),
    ...(flags === undefined ? [] : [`\t\tflags ${flags.join(",")}`]),
    ...(timeoutMs === undefined ? [] : [`\t\ttimeout ${timeoutMs / 1000}s`]),
    ...(elements.length === 0 ? [] : [`\t\telements = { ${inLines(elements)} }`]),
    "\t}",
  ];
}

/** Breaks a long list into lines. */
function inLines(elements: readonly string[]): string {
  const lines: string[] = [];
  for (let start = 0; start < elements.length; start += ELEMENTS_PER_LINE) {
    lines.push(elements.slice(start, start + ELEMENTS_PER_LINE).join(", "));
  }
  return lines.join(",\n\t\t\t");
}

function pageLines({ place, rules }: CompiledChain): readonly string[] {
  if (place === "from-clients") return PAGE_DIVERT;
  if (place === "live-step" || place === "steer") return [];
  const steers = rules.some(({ statements }) => statements.some(({ kind }) => kind === "tproxy"));
  return steers ? PAGE_TPROXY : [];
}

function renderChain(chain: CompiledChain): string[] {
  return [
    "",
    `\t${commentLine(chain.reason)}`,
    ...pageLines(chain).map((line) => `\t# ${line}`),
    `\tchain ${chain.name} {`,
    ...(chain.hook === undefined ? [] : [`\t\t${renderHook(chain.hook)}`]),
    ...chain.rules.flatMap((
      rule,
    ) => [`\t\t${commentLine(rule.reason)}`, `\t\t${renderRule(rule.statements)}`]),
    "\t}",
  ];
}

/** `type filter hook prerouting priority raw - 10; policy accept;` */
export function renderHook(hook: ChainHook): string {
  const priority = PRIORITIES[hook.priority] ?? String(hook.priority);
  return `type ${hook.type ?? "filter"} hook ${hook.hook} priority ${priority}; policy accept;`;
}
