/* Ports of the server, each with rules of its own; ../world.ts has the same. */
#ifndef PORTS_H
#define PORTS_H

#define DIRECT_PORT 7000   /* dialled by the proxy */
#define UPSTREAM_PORT 7001 /* through an upstream, whatever the name */
#define NAMED_PORT 7002    /* through an upstream, or dialled, by the name */
#define WATCHED_PORT 7003  /* forwarded by the kernel, or refused, by the name */
#define CLOSED_PORT 7999   /* nobody listens */
/* Each good config of the proxy refuses one of them. */
#define FIRST_PROBED_PORT 7101
#define SECOND_PROBED_PORT 7102
/* Local ports of those that vanish: the laboratory lets no reset of theirs out. */
#define VANISH_PORT 61000
#define VANISH_PORTS 1000

#define NAMED_AWAY "files.office.example"
#define NAMED_BLOCKED "www.ads.example"
#define NAMED_PLAIN "www.plain.example"

#endif
