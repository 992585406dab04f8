/**
 * Clients whose first bytes are recorded. For all of them `recorded.example` is this machine, whose server
 * takes what comes and never answers.
 * @module
 */

/** A client, and where it goes. */
export interface Hello {
  readonly name: string;
  readonly transport: "tcp" | "udp";
  readonly port: number;
  /** `PROFILE` is an empty directory. */
  readonly command: readonly string[];
  /** The Debian package whose version is noted; Deno has its own. */
  readonly package?: string;
  /** Lines of Firefox's user.js. */
  readonly preferences?: readonly string[];
}

const HOST = "recorded.example";
const URL_TLS = `https://${HOST}/`;
const URL_HTTP = `http://${HOST}/`;
const LONG_ALPN = Array.from({ length: 200 }, (_, i) => `protocol-${i}`).join(",");

const OPENSSL = ["openssl", "s_client", "-connect", "127.0.0.1:443"];
const NODE_TLS = `tls.connect({ port: 443, host: "127.0.0.1", servername: "${HOST}" })`;
const DENO_TLS = `await Deno.startTls(await Deno.connect({ port: 443 }), { hostname: "${HOST}" })
  .then((tls) => tls.handshake())`;
const DENO_QUIC = `await Deno.connectQuic({ hostname: "${HOST}", port: 443, alpnProtocols: ["h3"] })`;
const CHROMIUM = [
  "chromium",
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--user-data-dir=PROFILE",
];
const FIREFOX = ["firefox-esr", "--headless", "--no-remote", "--profile", "PROFILE"];
const QUIET_FIREFOX = [
  'user_pref("network.captive-portal-service.enabled", false);',
  'user_pref("network.connectivity-service.enabled", false);',
  'user_pref("browser.aboutwelcome.enabled", false);',
  'user_pref("datareporting.policy.dataSubmissionEnabled", false);',
  'user_pref("network.dns.native_https_query", false);',
  'user_pref("network.trr.mode", 5);',
];
const FIREFOX_QUIC = [
  ...QUIET_FIREFOX,
  'user_pref("network.http.http3.enable", true);',
  `user_pref("network.http.http3.alt-svc-mapping-for-testing", "${HOST};h3=:443");`,
];

const tls = { transport: "tcp", port: 443 } as const;
const http = { transport: "tcp", port: 80 } as const;
const quic = { transport: "udp", port: 443 } as const;

/** All clients. */
export const HELLOS: readonly Hello[] = [
  { ...tls, name: "tls-openssl", package: "openssl", command: [...OPENSSL, "-servername", HOST] },
  {
    ...tls,
    name: "tls-openssl-records",
    package: "openssl",
    command: [...OPENSSL, "-servername", HOST, "-max_send_frag", "512", "-alpn", LONG_ALPN],
  },
  { ...tls, name: "tls-openssl-nameless", package: "openssl", command: [...OPENSSL, "-noservername"] },
  {
    ...tls,
    name: "tls-openssl-1.2",
    package: "openssl",
    command: [...OPENSSL, "-tls1_2", "-servername", "Recorded.Example"],
  },
  {
    ...tls,
    name: "tls-gnutls",
    package: "gnutls-bin",
    command: ["gnutls-cli", "--insecure", HOST],
  },
  { ...tls, name: "tls-curl", package: "curl", command: ["curl", "--insecure", URL_TLS] },
  {
    ...tls,
    name: "tls-curl-address",
    package: "curl",
    command: ["curl", "--insecure", "https://127.0.0.1/"],
  },
  { ...tls, name: "tls-node", package: "nodejs", command: ["node", "-e", NODE_TLS] },
  { ...tls, name: "tls-deno", command: ["deno", "eval", DENO_TLS] },
  { ...tls, name: "tls-chromium", package: "chromium", command: [...CHROMIUM, URL_TLS] },
  {
    ...tls,
    name: "tls-firefox",
    package: "firefox-esr",
    command: [...FIREFOX, URL_TLS],
    preferences: QUIET_FIREFOX,
  },
  { ...http, name: "http-curl", package: "curl", command: ["curl", URL_HTTP] },
  {
    ...http,
    name: "http-curl-port",
    port: 8080,
    package: "curl",
    command: ["curl", "--cookie", "a=b; c=d", `http://${HOST}:8080/path?query`],
  },
  {
    ...http,
    name: "http-curl-proxy",
    package: "curl",
    command: ["curl", "--proxy", "http://127.0.0.1:80", "--header", "Host: other.example", URL_HTTP],
  },
  {
    ...http,
    name: "http-curl-connect",
    package: "curl",
    command: ["curl", "--proxy", "http://127.0.0.1:80", URL_TLS],
  },
  { ...http, name: "http-curl-address", package: "curl", command: ["curl", "http://127.0.0.1/"] },
  { ...http, name: "http-node", package: "nodejs", command: ["node", "-e", `http.get("${URL_HTTP}")`] },
  { ...http, name: "http-deno", command: ["deno", "eval", `await fetch("${URL_HTTP}")`] },
  {
    ...quic,
    name: "quic-ngtcp2",
    package: "ngtcp2-client",
    command: ["gtlsclient", HOST, "443", URL_TLS],
  },
  {
    ...quic,
    name: "quic-ngtcp2-draft",
    package: "ngtcp2-client",
    command: ["gtlsclient", "--version=v2draft", HOST, "443", URL_TLS],
  },
  { ...quic, name: "quic-deno", command: ["deno", "eval", "--unstable-net", DENO_QUIC] },
  {
    ...quic,
    name: "quic-chromium",
    package: "chromium",
    command: [...CHROMIUM, "--enable-quic", `--origin-to-force-quic-on=${HOST}:443`, URL_TLS],
  },
  {
    ...quic,
    name: "quic-chromium-v2",
    package: "chromium",
    command: [
      ...CHROMIUM,
      "--enable-quic",
      "--quic-version=RFCv2",
      `--origin-to-force-quic-on=${HOST}:443`,
      URL_TLS,
    ],
  },
  {
    ...quic,
    name: "quic-firefox",
    package: "firefox-esr",
    command: [...FIREFOX, URL_TLS],
    preferences: FIREFOX_QUIC,
  },
];
