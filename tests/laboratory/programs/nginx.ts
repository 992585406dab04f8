/**
 * nginx in the server namespace: the peer that says who it saw.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import type { Program } from "../program.ts";
import { until } from "../machine/wait.ts";

/** One line of nginx's access log: the connection as the server saw it. */
export interface Access {
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  readonly request: string;
}

/** Options of nginx. */
export interface NginxOptions {
  /** Ports to listen on, both families; default 80. */
  readonly ports?: readonly number[];
  /** Extra `location` blocks. */
  readonly locations?: string;
  /** Write an access log; default yes (a benchmark does not). */
  readonly accessLog?: boolean;
}

/** A running nginx. */
export class Nginx {
  readonly program: Program;
  readonly #lab: Lab;
  readonly #port: number;
  #seen = 0;

  constructor(program: Program, options: { lab: Lab; port: number }) {
    this.program = program;
    this.#lab = options.lab;
    this.#port = options.port;
  }

  /** The address of a file for a client. */
  url(family: 4 | 6, path = "/"): string {
    const host = family === 4 ? ADDRESSES[4].server : `[${ADDRESSES[6].server}]`;
    return `http://${host}:${this.#port}${path}`;
  }

  /** Fetches with curl in the client namespace. */
  async get(family: 4 | 6, path = "/"): Promise<string> {
    return (await this.#lab.client.run(["curl", "-sSfm10", this.url(family, path)])).stdout;
  }

  /** Every line of the access log so far. */
  accesses(): Access[] {
    const lines = Deno.readTextFileSync(`${this.#lab.directory}/access.log`).trimEnd().split("\n");
    return lines.filter((line) => line !== "").map((line) => {
      const [client, clientPort, server, serverPort, ...request] = line.split(" ");
      return {
        client,
        clientPort: Number(clientPort),
        server,
        serverPort: Number(serverPort),
        request: request.join(" "),
      };
    });
  }

  /** Waits for the next line of the access log whose server address is of the family. */
  async waitForAccess(family: 4 | 6): Promise<Access> {
    await until(() => this.accesses().length > this.#seen, { what: "a line in nginx's access log" });
    const access = this.accesses()[this.#seen++];
    if (access.server !== ADDRESSES[family].server) {
      throw new Error(`Unexpected access: ${JSON.stringify(access)}`);
    }
    return access;
  }
}

/** Starts nginx with `/` saying hello and `/files/` serving the laboratory's directory. */
export async function startNginx(lab: Lab, options: NginxOptions = {}): Promise<Nginx> {
  const ports = options.ports ?? [80];
  const config = lab.writeFile("nginx.conf", configuration(lab.directory, { ...options, ports }));
  const argv = ["nginx", "-c", config, "-e", `${lab.directory}/nginx-error.log`, "-g", "daemon off;"];
  const program = await lab.server.start(argv, { listens: ports[0] });
  return new Nginx(program, { lab, port: ports[0] });
}

function configuration(directory: string, options: NginxOptions & { ports: readonly number[] }): string {
  const listen = options.ports.flatMap((
    port,
  ) => [`listen ${port} backlog=8192;`, `listen [::]:${port} backlog=8192;`]);
  const bodies = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
user root;
worker_processes 2;
worker_rlimit_nofile 20000;
pid ${directory}/nginx.pid;
events { worker_connections 10000; }
http {
  ${bodies.map((name) => `${name}_temp_path ${directory}/nginx-${name};`).join("\n  ")}
  log_format connection '$remote_addr $remote_port $server_addr $server_port $request';
  access_log ${options.accessLog === false ? "off" : `${directory}/access.log connection`};
  error_log ${directory}/nginx-error.log;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  server {
    ${listen.join("\n    ")}
    location = / { default_type text/plain; return 200 "hello\\n"; }
    location /files/ { alias ${directory}/; }
    ${options.locations ?? ""}
  }
}
`;
}
