/**
 * The topic `rules`.
 * @module
 */
import type { Topic } from "../topic.ts";

/** See the module. */
export const RULES_TOPIC: Topic = {
  name: "rules",
  summary: "What rules match, what they do, and how names are read",
  write: () => [
    "The first rule that matches decides; it matches where all of its matchers do, and in each list one entry is enough. What " +
    "no rule matches goes by default. A rule holds for new flows: connections that exist go on.",
    "Matchers:",
    "  from, from-file          the client: addresses and networks; a file has one on a line",
    "  to, to-file              the server",
    '  ports                    the server\'s, as in [80, "8000-8100"]',
    "  protocol                 tcp or udp",
    "  interfaces, or in        by which the flow comes in",
    "  mac                      the client's hardware address",
    "  domains, domains-file    the name that the client asks for: x alone, *.x all names below it, .x both",
    "Actions:",
    "  bypass     forward it, as without tproxy",
    "  block      refuse it; silent: true says nothing",
    "  direct     relay it to its own server",
    "  proxy      send it through an upstream or a group; when-down: block or direct",
    "  deliver    give it to another TPROXY program on this router, at deliver-port",
    "A name is that of TLS, HTTP or QUIC. A flow waits for it only where it can still change what happens. Names select, they " +
    "do not authorise: a client may say another. A file of names has names, hosts lines, ||name^ and @@||name^, and dnsmasq's " +
    "lines; others are skipped, and counted.",
    '"tproxy explain" tells which rule decides on a flow, and why; "tproxy check" warns of rules that never match.',
  ],
};
