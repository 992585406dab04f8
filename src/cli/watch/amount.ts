/**
 * Amounts and times in few characters. Pure.
 * @module
 */

const PREFIXES = ["", "k", "M", "G", "T", "P"];

/** Words bytes: `0`, `512 B`, `31.4 MB`; as bits: `251 Mb`. Powers of 1000, as links are sold. */
export function formatAmount(bytes: number, asBits = false): string {
  const value = asBits ? bytes * 8 : bytes;
  if (value < 0.5) return "0";
  let scaled = value;
  let prefix = 0;
  while (scaled >= 999.5 && prefix < PREFIXES.length - 1) {
    scaled /= 1000;
    prefix++;
  }
  const digits = prefix > 0 && scaled < 99.95 ? scaled.toFixed(1) : String(Math.round(scaled));
  return `${digits} ${PREFIXES[prefix]}${asBits ? "b" : "B"}`;
}

/** Words a time: `00:41`, `2h11m`, `41d03h`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (number: number) => String(number).padStart(2, "0");
  const [minutes, hours, days] = [60, 3600, 86_400].map((size) => Math.floor(seconds / size));
  if (days > 0) return `${days}d${two(hours % 24)}h`;
  if (hours > 0) return `${hours}h${two(minutes % 60)}m`;
  return `${two(minutes)}:${two(seconds % 60)}`;
}

const BARS = "▁▂▃▄▅▆▇█";

/** Draws values as bars, the last ones of them; a space stands for none. */
export function formatBars(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const most = Math.max(...shown, 1);
  const bars = shown.map((value) =>
    value < 0.5 ? " " : BARS[Math.min(BARS.length - 1, Math.floor(BARS.length * value / most))]
  );
  return bars.join("").padStart(width);
}
