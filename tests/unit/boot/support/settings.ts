import type { BootSettings } from "../../../../src/boot/model.ts";

/** Settings of an install without options. */
export const SETTINGS: BootSettings = {
  binary: "/usr/bin/tproxy",
  drainSeconds: 30,
  mark: 1,
  backend: "netlink",
};
