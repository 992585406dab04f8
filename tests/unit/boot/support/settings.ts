import type { BootSettings } from "../../../../src/boot/model.ts";

/** What an install without options gives. */
export const SETTINGS: BootSettings = {
  binary: "/usr/bin/tproxy",
  drainSeconds: 30,
  mark: 1,
  backend: "netlink",
};
