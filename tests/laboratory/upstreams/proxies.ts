/**
 * Real proxies in the server namespace: each listens on all addresses, and asks for user and password if it
 * is told to.
 * @module
 */
import type { Lab } from "../lab.ts";
import type { Program } from "../program.ts";
import { withFile } from "../machine/with_file.ts";

/** The user that proxies know. */
export const USER = "office";
/** Its password. */
export const PASSWORD = "sesame";

/** A proxy to start. */
export interface ProxyOptions {
  readonly port: number;
  readonly asks: boolean;
  /** A file that it has for /etc/hosts. */
  readonly hosts?: string;
}

/** A command whose program has another /etc/hosts. */
function withHosts(argv: readonly string[], hosts: string | undefined): readonly string[] {
  return hosts === undefined ? argv : [...withFile(hosts, "/etc/hosts"), ...argv];
}

/** microsocks: SOCKS5. */
export function startMicrosocks(lab: Lab, { port, asks }: ProxyOptions): Promise<Program> {
  const user = asks ? ["-u", USER, "-P", PASSWORD] : [];
  return lab.server.start(["microsocks", "-i", "::", "-p", String(port), ...user], { listens: port });
}

/** Dante: SOCKS5. Its users are those of the system, so that it knows none here. */
export function startDante(lab: Lab, { port, hosts }: Omit<ProxyOptions, "asks">): Promise<Program> {
  const all = ["0.0.0.0/0", "::/0"];
  const pass = all.flatMap((from) =>
    all.flatMap((to) => ["client", "socks"].map((kind) => `${kind} pass { from: ${from} to: ${to} }`))
  );
  const config = lab.writeFile(
    "danted.conf",
    [
      "logoutput: stderr",
      ...["203.0.113.2", "2001:db8:77::2"].map((own) => `internal: ${own} port = ${port}`),
      "external: s0",
      "clientmethod: none",
      "socksmethod: none",
      "user.privileged: root",
      "user.unprivileged: root",
      ...pass,
      "",
    ].join("\n"),
  );
  const argv = ["danted", "-f", config, "-N", "1", "-p", `${lab.directory}/danted.pid`];
  return lab.server.start(withHosts(argv, hosts), { listens: port });
}

/** tinyproxy: HTTP. It refuses port 7999. */
export function startTinyproxy(lab: Lab, { port, asks, hosts }: ProxyOptions): Promise<Program> {
  const config = lab.writeFile(
    `tinyproxy-${port}.conf`,
    [
      `Port ${port}`,
      "Listen ::",
      "Listen 0.0.0.0",
      "MaxClients 100",
      "LogLevel Info",
      ...[80, 443, ...Array.from({ length: 9 }, (_, i) => 7000 + i)].map((open) => `ConnectPort ${open}`),
      ...asks ? [`BasicAuth ${USER} ${PASSWORD}`] : [],
      "",
    ].join("\n"),
  );
  return lab.server.start(withHosts(["tinyproxy", "-d", "-c", config], hosts), { listens: port });
}

/** Squid: HTTP. It refuses port 7999. */
export async function startSquid(lab: Lab, { port, asks }: ProxyOptions): Promise<Program> {
  const { stdout } = await lab.server.run(["openssl", "passwd", "-apr1", PASSWORD]);
  const users = lab.writeFile("squid-users", `${USER}:${stdout}`);
  const asking = [
    `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${users}`,
    "acl known proxy_auth REQUIRED",
    "http_access deny !known",
  ];
  const config = lab.writeFile(
    "squid.conf",
    [
      `http_port ${port}`,
      `pid_filename ${lab.directory}/squid.pid`,
      "cache_log /dev/null",
      "access_log none",
      "cache deny all",
      "visible_hostname lab",
      "pinger_enable off",
      "shutdown_lifetime 0 seconds",
      "acl closed port 7999",
      "http_access deny closed",
      ...asks ? asking : [],
      "http_access allow all",
      "",
    ].join("\n"),
  );
  Deno.chmodSync(lab.directory, 0o755);
  // It leaves shared memory behind when it is killed.
  const alone = `mount -t tmpfs none /dev/shm && exec squid -N -f ${config}`;
  return lab.server.start(["unshare", "-m", "sh", "-c", alone], { listens: port });
}

/** V2Ray: SOCKS5 on `port`, HTTP on the next. */
export function startV2ray(lab: Lab, { port, asks }: ProxyOptions): Promise<Program> {
  const accounts = [{ user: USER, pass: PASSWORD }];
  const config = lab.writeFile(
    "v2ray.json",
    JSON.stringify({
      log: { loglevel: "warning" },
      inbounds: [
        {
          listen: "::",
          port,
          protocol: "socks",
          // Unless it is told another, it says that it relays UDP at 127.0.0.1.
          settings: { udp: true, ...asks ? { auth: "password", accounts } : { auth: "noauth" } },
        },
        { listen: "::", port: port + 1, protocol: "http", settings: asks ? { accounts } : {} },
      ],
      outbounds: [{ protocol: "freedom" }],
    }),
  );
  return lab.server.start(["v2ray", "-config", config], { listens: port + 1 });
}

/** HAProxy behind a PROXY header: says `client port destination port`. */
export function startHaproxy(lab: Lab, { port }: Pick<ProxyOptions, "port">): Promise<Program> {
  const config = lab.writeFile(
    "haproxy.cfg",
    `defaults
  mode http
  timeout client 10s
  timeout connect 10s
  timeout server 10s
frontend told
  bind :::${port} v4v6 accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]\\n"
`,
  );
  return lab.server.start(["haproxy", "-db", "-f", config], { listens: port });
}

/** nginx behind a PROXY header: says `client port destination port` at once, and ends the connection. */
export function startNginxStream(lab: Lab, { port }: Pick<ProxyOptions, "port">): Promise<Program> {
  const names = ["addr", "port", "server_addr", "server_port"].map((name) => `$proxy_protocol_${name}`);
  const config = lab.writeFile(
    "nginx-stream.conf",
    `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root;
worker_processes 1;
pid ${lab.directory}/nginx-stream.pid;
events { worker_connections 100; }
stream {
  server {
    listen ${port} proxy_protocol;
    listen [::]:${port} proxy_protocol;
    return "${names.join(" ")}\\n";
  }
}
`,
  );
  const argv = ["nginx", "-c", config, "-e", `${lab.directory}/nginx-stream.log`, "-g", "daemon off;"];
  return lab.server.start(argv, { listens: port });
}
