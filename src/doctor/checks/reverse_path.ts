/**
 * Reverse-path checks of IPv4: `src_valid_mark`, which makes them follow the mark, and strict `rp_filter`.
 * @module
 */
import { isNarrow } from "../../netlink/route/rule_selectors.ts";
import type { Check } from "../check.ts";
import type { MachineFiles } from "../machine/files.ts";
import { type Finding, warning, works } from "../finding.ts";
import { describeRule, type RoutingFacts, tableOf } from "../machine/routing.ts";
import { marksOf, overlaps, programNames, type Situation } from "../situation.ts";
import { blame, readSysctl, type Sysctl } from "../machine/sysctl.ts";

/** The settings that count for the interfaces. */
export interface ReversePathFacts {
  /** `src_valid_mark` of `all` and of each interface. */
  readonly validMark: readonly Sysctl[];
  /** `rp_filter` of `all` and of each interface. */
  readonly filter: readonly Sysctl[];
}

/** The check. */
export const reversePath: Check<{ readonly settings: ReversePathFacts; readonly routing: RoutingFacts }> = {
  id: "reverse-path",
  read: ({ files, routing }, { lan, others }) => ({
    settings: readReversePath(files, [...lan, ...others]),
    routing: routing(),
  }),
  judge: ({ settings, routing }, situation) => judgeReversePath(settings, routing, situation),
};

/** Reads them for the interfaces that take part. */
function readReversePath(files: MachineFiles, interfaces: readonly string[]): ReversePathFacts {
  const read = (key: string) =>
    ["all", ...interfaces].map((name) =>
      readSysctl(files, `net.ipv4.conf.${name.replaceAll(".", "/")}.${key}`)
    );
  return { validMark: read("src_valid_mark"), filter: read("rp_filter") };
}

/** Makes a finding for each of both. */
export function judgeReversePath(
  facts: ReversePathFacts,
  routing: RoutingFacts,
  situation: Situation,
): Finding[] {
  if (!situation.families.includes("ipv4")) return [];
  return [judgeValidMark(facts, routing, situation), judgeFilter(facts, situation)];
}

/**
 * With it, a rule without iif sends the check of a client's address into the local table: all is dropped,
 * silently.
 */
function judgeValidMark(
  { validMark }: ReversePathFacts,
  routing: RoutingFacts,
  situation: Situation,
): Finding {
  const id = "src-valid-mark";
  const setting = validMark.find(({ value }) => value === "1");
  if (setting === undefined) return works(id, "net.ipv4.conf.*.src_valid_mark = 0");
  const what = `${setting.name} = 1`;
  const cause = blame(setting, {
    programs: programNames(situation),
    suspects: ["tailscaled"],
    otherwise: situation.links.some(({ kind }) => kind === "wireguard")
      ? "perhaps set by wg-quick, for there is a WireGuard interface"
      : "it is not known who sets it",
  });
  const delivering = routing.rules.filter((rule) =>
    rule.family === "ipv4" && rule.iifname === undefined && rule.inverted !== true &&
    overlaps(rule, marksOf(situation).intercepted) && tableOf(rule, routing)?.deliversLocally === true
  );
  const fatal = delivering.find((rule) => !isNarrow(rule)) ?? delivering[0];
  if (fatal === undefined) {
    return works(id, what, `harmless, the rules of an install name interfaces; ${cause}`);
  }
  return warning(id, {
    what,
    blocks: !isNarrow(fatal),
    cause: `With it the routing rule ${describeRule(fatal)}, which has no iif, drops ${
      isNarrow(fatal) ? "the marked packets that come under it" : "every marked packet"
    } without a word; ${cause}`,
    remedy: `Remove that rule: ip rule del priority ${fatal.priority}`,
  });
}

/**
 * Strict checks drop what comes back by another interface than it would leave by: only with several ways out.
 */
function judgeFilter({ filter }: ReversePathFacts, situation: Situation): Finding {
  const id = "rp-filter";
  const [all, ...each] = filter;
  const waysOut = situation.network.defaultRouteLinks;
  // The kernel takes the higher of the two.
  const isStrict = ({ value }: Sysctl) => Math.max(Number(value ?? 0), Number(all?.value ?? 0)) === 1;
  const strict = each.filter(isStrict);
  if (strict.length === 0) return works(id, "net.ipv4.conf.*.rp_filter is not strict");
  const setting = all?.value === "1" ? all : strict[0];
  const what = `${setting.name} = 1`;
  if (waysOut.length < 2) return works(id, what, "harmless with one way out");
  const cause = blame(setting, {
    programs: programNames(situation),
    suspects: [],
    otherwise: "it is not known who sets it",
  });
  return warning(id, {
    what,
    cause: `There are several ways out (${waysOut.join(", ")}): answers that come in by another one are ` +
      `dropped; ${cause}`,
    remedy: `sysctl -w ${setting.name}=2 (loose), unless all answers come in where the packets went out`,
  });
}
