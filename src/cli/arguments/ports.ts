/**
 * The ports that a command line names.
 * @module
 */

const MAX_PORT = 65535;

/**
 * `80` → `["80"]`, `20-25` → `["20", … "25"]`, `http` → `["http"]`: the name of a service is left to the
 * resolver. A range may be written either way round. A string says what is wrong.
 */
export function parsePorts(text: string): readonly string[] | string {
  const range = /^(\d+)-(\d+)$/.exec(text);
  if (range === null) return isBadNumber(text) ? `Port ${text} is not between 1 and ${MAX_PORT}` : [text];
  const bad = range.slice(1).find(isBadNumber);
  if (bad !== undefined) return `Port ${bad} is not between 1 and ${MAX_PORT}`;
  const [low, high] = [Number(range[1]), Number(range[2])].sort((a, b) => a - b);
  return Array.from({ length: high - low + 1 }, (_, i) => String(low + i));
}

function isBadNumber(text: string): boolean {
  return /^\d+$/.test(text) && (Number(text) < 1 || Number(text) > MAX_PORT);
}
