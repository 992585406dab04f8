/**
 * The topic `signals`.
 * @module
 */
import type { Topic } from "../topic.ts";

/** See the module. */
export const SIGNALS_TOPIC: Topic = {
  name: "signals",
  summary: "Signals that a running proxy obeys",
  write: () => [
    "  SIGTERM, SIGINT    accept nothing new, let live connections end within timeouts.drain, and end; a second one: at once",
    "  SIGHUP             read the config and its lists again, and open log.access anew; what is wrong changes nothing",
    "  SIGKILL            the kernel takes the proxy's rules away with it: live connections end, new ones go by",
    "                     intercept.on-failure",
    'What SIGHUP has brought about stands in the log; "tproxy reload" does the same, waits, and tells.',
  ],
};
