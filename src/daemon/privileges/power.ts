/**
 * The power of a process in words, by its /proc/self/status. Pure.
 * @module
 */

/** The capabilities of a proxy, by their numbers (linux/capability.h), the most powerful first. */
const NAMES = [[12n, "net_admin"], [13n, "net_raw"], [10n, "net_bind_service"]] as const;

/** `uid 65534, caps net_raw,net_bind_service, seccomp 2, landlock 7`. */
export function describePower(
  status: string,
  { landlock, kept }: { readonly landlock: number; readonly kept: string | undefined },
): string {
  const word = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
  // Before Linux 5.10 the number of filters is not told, but whether there are any.
  const filters = word("Seccomp_filters") ?? (word("Seccomp") === "2" ? "on" : "0");
  return `uid ${word("Uid") ?? "?"}, caps ${describeCapabilities(word("CapEff"))}, seccomp ${filters}, ` +
    `landlock ${landlock}${kept === undefined ? "" : ` (kept: ${kept})`}`;
}

function describeCapabilities(hex: string | undefined): string {
  if (hex === undefined || !/^[0-9a-f]+$/.test(hex)) return "?";
  let left = BigInt(`0x${hex}`);
  const known = NAMES.filter(([number]) => (left >> number & 1n) === 1n);
  for (const [number] of known) left &= ~(1n << number);
  const others = left.toString(2).replaceAll("0", "").length;
  const words = [
    ...known.map(([, name]) => name),
    ...(others === 0 ? [] : [`${others} more`]),
  ];
  return words.length === 0 ? "none" : words.join(",");
}
