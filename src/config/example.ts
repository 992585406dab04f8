/**
 * The documentation of the config is a config: every key, commented out, with its default or an example.
 * Lines that begin with `#key` or `#  ` are YAML when the `#` is removed, `# ` begins prose.
 * @module
 */

/** The text that `tproxy config example` prints. */
export const EXAMPLE_CONFIG =
  `# Configuration of tproxy. Every key is optional; what is commented out shows its default; rules and
# upstreams show examples.
# Durations: 300ms, 10s, 1m30s, 2h, 1d.

version: 1

# What is intercepted.
intercept:
#  interfaces: auto          # names, as in [br-lan]; auto: every interface without a default route, loopback excluded
#  protocols: [tcp, udp]
#  ports: all                # destination ports, as in [80, 443, "8000-8100"]
#  families: [ipv4, ipv6]
#  router-traffic: false     # true: also what programs on the router send to the outside
#  on-failure: open          # while no proxy runs: open = forward as if not installed | reset | drop
#  mptcp: relay              # Multipath TCP: relay = it has one path | forward = past the proxy, with all its paths
#  admission: forward-path   # where a flow is taken: after the router's own rules, routes and NAT | early: before them

# The transparent listener, on 127.0.0.1 and ::1 only.
listener:
#  port: 50080               # 1 to 65535
#  workers: auto             # threads, 1 to 256; auto: one for each processor, but 1 below 384 MB of memory and at
#                            # most 2 below 1 GB (of the machine or of our cgroup)

# What tproxy uses in the kernel. Change it if other software uses the same.
kernel:
#  mark: 0x1                 # of packets; two bits above it are used as well, three with router-traffic
#  table: 100                # routing table of our own, not 253 to 255
#  backend: netlink          # netlink (nf_tables) | iptables, for kernels without it

# How \`direct\` dials the server: client = from the client's address and port | client-address | router
#source: client

# The first rule that matches decides. A rule matches where all of its matchers do; in each list one entry is enough.
# Matchers: from and from-file (clients), to and to-file (servers), ports (servers'), protocol, in (or: interfaces), mac
# (clients'), domains and domains-file (one file or a list; the name that the client asks for by TLS, HTTP or QUIC:
# x alone, *.x all below, .x both). A file of networks has one on a line; what follows # or ; does not count; install
# reads it again. A file of names has hosts lines, names, ||x^ and @@||x^, dnsmasq lines; others are skipped.
# Actions: bypass (forward, as if not installed) | block (refuse; silent: true says nothing, not with domains) | direct
# (this proxy) | deliver (another TPROXY program on this router, needs deliver-port; not with domains) | proxy (needs
# upstream, an upstream or a group; when-down: block | direct where that is down or cannot carry the flow)
#rules:
#  - { name: private networks, to: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, "fc00::/7"], action: bypass }
#  - { name: our country, to-file: /etc/tproxy/country.list, action: bypass }
#  - { name: guests, from-file: /etc/tproxy/guests.list, in: [br-guest], action: block, silent: true }
#  - { name: one television, mac: ["02:00:5e:10:00:01"], interfaces: [br-lan], action: direct }
#  - { name: after ten, from: [192.168.1.64/26], ports: [443, "8000-8100"], action: block }
#  - { name: no telemetry, domains: ["*.telemetry.example", ads.example.com], action: block }
#  - { name: web cache, ports: [80], protocol: tcp, action: deliver, deliver-port: 3129 }
#  - { name: block list, domains-file: /etc/tproxy/ads.list, ports: [80, 443], action: block }
#  - { name: work, domains: [.corp.example], action: proxy, upstream: corp, when-down: block }
#  - { name: second line, from: [192.168.1.32/27], action: proxy, upstream: lte }

# What no rule matches: bypass | direct | block | proxy; the last needs a line default-upstream: NAME as well (an
# upstream or a group).
#default: direct

# Where proxied flows go, by name: socks5 | http-connect (no UDP) | forward (one server for all, which learns the
# destination by proxy-protocol alone, v1 or v2; port 0: the flow's) | direct (by interface, mark, source)
# families: of servers that it reaches. send: what a proxy is told, address | name (where there is one). udp-address:
# where a SOCKS proxy relays UDP, if it names an address that is none. mark: bits/mask. A password file may be readable
# by its owner alone. check: as checks below, for this upstream.
#upstreams:
#  office: { type: socks5, address: "10.9.0.2:1080", username: me, password-file: /etc/tproxy/office.secret }
#  office2: { type: socks5, address: "gw.corp.example:1080", families: [ipv4], udp: false, check: { interval: 1m } }
#  far: { type: socks5, address: "192.0.2.9:1080", udp-address: 192.0.2.9, send: address }
#  parent: { type: http-connect, address: "proxy.corp.example:3128" }
#  edge: { type: forward, address: "10.9.0.3:8443", proxy-protocol: v2 }
#  lte: { type: direct, interface: wwan0, mark: 0x200/0x200, source: router }

# Several upstreams under one name. strategy: failover (the first that is up) | least-connections | hash (by client).
# when-down: block | direct, where no member can carry a flow
#groups:
#  corp: { members: [office, office2], strategy: failover, when-down: block }

# Whether upstreams are up.
checks:
#  interval: 10s             # from one check to the next, while an upstream is used or down
#  timeout: 3s               # after which a check has failed
#  rise: 2                   # successes in a row after which it is up again
#  fall: 3                   # faults in a row after which it is down
#  target: none              # a server that is dialled through it, as in "www.example.com:443"

udp:
# Whose datagrams a client's port receives: address-and-port-dependent = of those to whom it has sent something |
# endpoint-independent = of anybody
#  filtering: address-and-port-dependent
#  tos: carry                # the TOS byte (IPv6: traffic class) of datagrams: carry | clear

timeouts:
#  connect: 10s              # until the server answers
#  tcp-idle: never           # nothing is sent in either direction; never: as long as both ends answer when asked
#  half-closed: never        # the same, when one side has ended
#  udp-idle: 60s             # a client's port neither sends nor receives
#  udp-dns: 10s              # the same of one that has only talked to port 53
#  sniff: 300ms              # how long a client may take to begin, where a name decides and nobody has spoken yet
#  drain: 30s                # how long live connections may go on after SIGTERM; 0s: not at all

limits:
#  connections: auto         # live TCP connections; auto: what the descriptor limit (RLIMIT_NOFILE) allows
#  per-client: 0             # live connections, and UDP sessions, of one client address; 0: no limit
#  udp-sessions: 65536       # live UDP sessions (one for each client address and port), as far as descriptors allow

#control: /run/tproxy/control.sock   # root alone asks and orders a running proxy here; off: nobody does
#metrics: off               # address and port at which Prometheus reads /metrics, as in 127.0.0.1:9466

log:
#  level: info               # error | warn | info | debug (every connection)
#  format: text              # text | json
#  access: off               # off | on | a path: one line for each flow through the proxy, at its end
`;
