/**
 * A web server of many names in the server namespace, by TLS and without, and clients of it.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import { makeCertificate } from "../programs/certificate.ts";
import { until } from "../machine/wait.ts";

/** A request as the web server saw it. */
export interface Visit {
  /** Address of whoever has connected. */
  readonly client: string;
  /** Address that was connected to. */
  readonly server: string;
  readonly host: string;
}

/** The web server. */
export class Web {
  readonly #lab: Lab;
  #seen = 0;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** The next request that it has seen. */
  async visit(): Promise<Visit> {
    await until(() => this.#lines().length > this.#seen, { what: "a line in the web server's log" });
    const [client, server, host] = this.#lines()[this.#seen++].split(" ");
    return { client, server, host };
  }

  /** Tells whether it has seen no other request. */
  get isUnseen(): boolean {
    return this.#lines().length === this.#seen;
  }

  #lines(): string[] {
    return Deno.readTextFileSync(`${this.#lab.directory}/visits.log`).split("\n").filter((line) =>
      line !== ""
    );
  }
}

/** Starts it: TLS on port 443, HTTP on port 80. */
export async function startWeb(lab: Lab): Promise<Web> {
  const { key, certificate } = await makeCertificate(lab);
  const bodies = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const config = lab.writeFile(
    "web.conf",
    `user root;
worker_processes 1;
pid ${lab.directory}/web.pid;
events {}
http {
  ${bodies.map((name) => `${name}_temp_path ${lab.directory}/web-${name};`).join("\n  ")}
  log_format visit '$remote_addr $server_addr $host';
  access_log ${lab.directory}/visits.log visit;
  keepalive_timeout 60s;
  server {
    listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    location / { default_type text/plain; return 200 "seen\\n"; }
  }
}
`,
  );
  const argv = ["nginx", "-c", config, "-e", `${lab.directory}/web-error.log`, "-g", "daemon off;"];
  await lab.server.start(argv, { listens: 443 });
  return new Web(lab);
}

/** A request of curl's. */
export interface Request {
  readonly scheme: "http" | "https";
  readonly name: string;
  readonly family: 4 | 6;
}

/** Asks for a name at the server's address. `seen`, or how curl has failed. */
export async function visit(lab: Lab, { scheme, name, family }: Request): Promise<string> {
  const address = family === 4 ? ADDRESSES[4].server : `[${ADDRESSES[6].server}]`;
  // Its end is part of the answer.
  const script = `out=$(curl -sSkm10 --connect-to "::${address}:" ${scheme}://${name}/ 2>&1); echo "$? $out"`;
  const { stdout } = await lab.client.run(["sh", "-c", script]);
  const [, code, out] = /^(\d+) ([^]*)\n$/.exec(stdout)!;
  return code === "0" ? out : /reset|SSL_ERROR_SYSCALL/.test(out) ? "reset" : `curl ${code}: ${out}`;
}
