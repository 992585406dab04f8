/**
 * The manual page, made of what the program says of itself: it cannot fall behind. Pure.
 * @module
 */

/** Texts of the manual page. */
export interface ManualText {
  readonly version: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** Output of `tproxy --help`. */
  readonly usage: string;
  /** Output of `tproxy help NAME`, by name. */
  readonly commands: ReadonlyMap<string, string>;
}

/** Names of the commands in the usage: what stands in front of a summary, indented by two. */
export function listCommands(usage: string): string[] {
  return [...usage.matchAll(/^ {2}([a-z]+) {2,}[A-Z]/gm)].map(([, name]) => name);
}

/** Writes the page as roff, see man(7). */
export function formatManual({ version, time, usage, commands }: ManualText): string {
  const date = new Date(time * 1000).toISOString().slice(0, 10);
  const sections = [...commands].map(([name, text]) => `.SS ${name}\n${verbatim(text)}`);
  return `.TH TPROXY 8 ${date} "tproxy ${version}" "System Administration"
.SH NAME
tproxy \\- transparent proxy for Linux routers
.SH DESCRIPTION
${verbatim(usage)}.SH COMMANDS
${sections.join("")}.SH FILES
.TP
.I /etc/tproxy/tproxy.yaml
The config, if there is one. "tproxy config example" prints one with every key and its default.
.SH SEE ALSO
.BR nft (8),
.BR ip\\-rule (8)
`;
}

/** A text as it stands: its lines are set for a terminal already. */
function verbatim(text: string): string {
  const lines = text.trimEnd().split("\n").map((line) =>
    line.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^([.'])/, "\\&$1")
  );
  return `.nf\n${lines.join("\n")}\n.fi\n`;
}
