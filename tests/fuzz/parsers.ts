/**
 * The parsers of bytes from outside, in the families in which they are fuzzed.
 * @module
 */
import type { Parser } from "./parser.ts";
import { commandLine, config } from "./parsers/command_line.ts";
import { controlAnswer, controlRequest, deviceNames } from "./parsers/control.ts";
import { legacy, saved } from "./parsers/iptables.ts";
import { controlMessages } from "./parsers/kernel_words.ts";
import { domainList, networkList, pattern } from "./parsers/lists.ts";
import { launcherChecks } from "./parsers/kernel/launcher.ts";
import { nfTables } from "./parsers/kernel/netfilter.ts";
import { question, segment } from "./parsers/packets.ts";
import { queueMessage } from "./parsers/queues.ts";
import { datagram, talks } from "./parsers/proxies.ts";
import { dns, resolvConf } from "./parsers/resolver.ts";
import { routeAnswer, rtnetlink } from "./parsers/kernel/routes.ts";
import { quic, stream } from "./parsers/streams.ts";
import { machine, seal, state } from "./parsers/texts.ts";

/** All of them, those of strangers' bytes first. */
export const PARSERS: readonly Parser[] = [
  stream,
  quic,
  question,
  segment,
  queueMessage,
  controlMessages,
  ...talks,
  datagram,
  dns,
  resolvConf,
  nfTables,
  rtnetlink,
  routeAnswer,
  ...launcherChecks,
  legacy,
  saved,
  domainList,
  networkList,
  pattern,
  config,
  commandLine,
  machine,
  state,
  controlRequest,
  controlAnswer,
  deviceNames,
  seal,
];
