/**
 * The devices of the network by address: names out of files of this machine, hardware addresses out of the
 * kernel. Read when somebody asks, and then not again for some seconds.
 * @module
 */
import { OperationError } from "../../../net/error.ts";
import { formatIp, type IpAddress } from "../../../net/ip.ts";
import { listNeighbours } from "../../../netlink/neighbour.ts";
import { openNetlink } from "../../../netlink/transport.ts";
import type { Device, FindDevice } from "../connections/row.ts";
import { type DeviceNames, NAME_FILES, readNames } from "./names.ts";
import { readSmallFile } from "./small_file.ts";

/** Milliseconds for which what was read counts. */
const FRESH_MS = 5000;
/** Bytes of the longest file: reading it must not keep others of this thread waiting. */
const LONGEST = 256 * 1024;

/** See the module. */
export class DeviceBook {
  #find: FindDevice = () => ({ name: null, mac: null });
  #read = -Infinity;

  /** Returns who finds devices as they are known now. */
  async current(): Promise<FindDevice> {
    const now = performance.now();
    if (now - this.#read >= FRESH_MS) {
      this.#read = now; // those who ask meanwhile get what was known before
      this.#find = finder(await readAll(), readNeighbours());
    }
    return this.#find;
  }
}

/** The book of this process: all who ask share what was read. */
export const DEVICES = new DeviceBook();

async function readAll(): Promise<DeviceNames> {
  const names: DeviceNames = { byAddress: new Map(), byMac: new Map() };
  for (const [path, form] of NAME_FILES) {
    const text = await readSmallFile(path, LONGEST);
    if (text !== undefined) readNames(text, form, names);
  }
  return names;
}

function readNeighbours(): Map<string, string> {
  try {
    using route = openNetlink("route");
    return new Map(listNeighbours(route).map(({ address, mac }) => [formatIp(address), mac]));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return new Map();
  }
}

/** Makes one who finds each address once: many rows have the same. */
function finder({ byAddress, byMac }: DeviceNames, macs: ReadonlyMap<string, string>): FindDevice {
  const found = new Map<string, Device>();
  return (address: IpAddress) => {
    const key = address.bytes.join();
    const known = found.get(key);
    if (known !== undefined) return known;
    const text = formatIp(address);
    const mac = macs.get(text) ?? null;
    const device = { name: byAddress.get(text) ?? (mac === null ? null : byMac.get(mac) ?? null), mac };
    found.set(key, device);
    return device;
  };
}
