/**
 * Names of devices, by the files that other programs keep: leases of DHCP servers, /etc/ethers, /etc/hosts.
 * Devices choose many of them, so they may be anything. Pure.
 * @module
 */
import { oneLine } from "../../../net/one_line.ts";
import { formatIp, parseIp } from "../../../net/ip.ts";

/** Form of a file. */
export type NamesForm = "dnsmasq" | "hosts" | "ethers" | "kea";

/** Files that name devices; the first one that knows a name is right. */
export const NAME_FILES: readonly (readonly [path: string, form: NamesForm])[] = [
  ["/tmp/dhcp.leases", "dnsmasq"],
  ["/var/lib/misc/dnsmasq.leases", "dnsmasq"],
  ["/tmp/hosts/odhcpd", "hosts"],
  ["/var/lib/kea/kea-leases4.csv", "kea"],
  ["/var/lib/kea/kea-leases6.csv", "kea"],
  ["/etc/ethers", "ethers"],
  ["/etc/hosts", "hosts"],
];

/** Names that are known; the first that is told stays. */
export interface DeviceNames {
  /** By address, as formatIp() writes it. */
  readonly byAddress: Map<string, string>;
  /** By hardware address in lower case. */
  readonly byMac: Map<string, string>;
}

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
const LONGEST = 64;
const SPACES = /[ \t]+/;

type LineReader = (
  line: string,
  note: (name: string, ...of: readonly (string | undefined)[]) => void,
) => void;

const READERS: Readonly<Record<Exclude<NamesForm, "kea">, LineReader>> = {
  // Expiry, hardware address (IPv6: a number), address, name, client's id.
  dnsmasq(line, note) {
    const [, mac, address, name] = line.split(SPACES);
    if (name !== "*") note(name ?? "", address, mac);
  },
  // Address, name, other names; odhcpd writes the same.
  hosts(line, note) {
    const [address, name] = line.split("#", 1)[0].trim().split(SPACES);
    note(name ?? "", address);
  },
  // Hardware address, name or address.
  ethers(line, note) {
    const [mac, name] = line.split("#", 1)[0].trim().split(SPACES);
    if (name !== undefined && parseIp(name) === undefined) note(name, undefined, mac);
  },
};

/** Adds the names of a file. */
export function readNames(text: string, form: NamesForm, names: DeviceNames): void {
  const note = (name: string, address?: string, mac?: string) => add(names, name, address, mac);
  const lines = text.split("\n");
  if (form === "kea") return readKea(lines, note);
  for (const line of lines) READERS[form](line, note);
}

/** Reads a lease file of Kea: the first line names the fields, later lines of an address are newer. */
function readKea([head, ...lines]: readonly string[], note: (name: string, ...of: string[]) => void): void {
  const fields = head.trim().split(",");
  const places = ["hostname", "address", "hwaddr"].map((field) => fields.indexOf(field));
  for (const line of lines.toReversed()) {
    const values = line.trim().split(",");
    const [name, address, mac] = places.map((place) => values[place] ?? "");
    note(name, address, mac);
  }
}

function add({ byAddress, byMac }: DeviceNames, name: string, address = "", mac = ""): void {
  const text = oneLine(name.replace(/\.$/, "")).slice(0, LONGEST);
  if (text === "") return;
  const known = parseIp(address);
  const written = known === undefined ? undefined : formatIp(known);
  if (written !== undefined && !byAddress.has(written)) byAddress.set(written, text);
  if (MAC.test(mac) && !byMac.has(mac.toLowerCase())) byMac.set(mac.toLowerCase(), text);
}
