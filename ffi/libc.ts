/**
 * The C library's functions that tproxy calls: the only `dlopen` of the project, once per thread.
 *
 * Every signature but that of `poll_elsewhere` stays on Deno's fast-call path (a test guards it): numbers
 * where C has lengths and descriptors, no structs by value, no 64-bit result. Lengths go out as `u32`: they
 * are small non-negative integers.
 * @module
 */
const SYMBOLS = {
  // sys/socket.h
  socket: { parameters: ["i32", /* domain */ "i32", /* type */ "i32" /* protocol */], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer" /* int[2] */], result: "i32" },
  bind: { parameters: ["i32", "buffer", /* const struct sockaddr * */ "u32" /* socklen_t */], result: "i32" },
  listen: { parameters: ["i32", "i32" /* backlog */], result: "i32" },
  accept4: {
    parameters: ["i32", "buffer", /* struct sockaddr * */ "buffer", /* socklen_t * */ "i32" /* flags */],
    result: "i32",
  },
  connect: { parameters: ["i32", "buffer", /* const struct sockaddr * */ "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer" /* socklen_t * */], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer" /* socklen_t * */], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", /* level */ "i32", /* name */ "buffer", /* const void * */ "u32"],
    result: "i32",
  },
  getsockopt: {
    parameters: ["i32", "i32", /* level */ "i32", /* name */ "buffer", "buffer" /* socklen_t * */],
    result: "i32",
  },
  shutdown: { parameters: ["i32", "i32" /* how */], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u32", /* size_t */ "i32" /* flags */], result: "i32" /* ssize_t */ },
  send: { parameters: ["i32", "buffer", "u32", /* size_t */ "i32" /* flags */], result: "i32" /* ssize_t */ },
  // Addresses as numbers: they are those of a PinnedMemory.
  recvmmsg: {
    parameters: [
      "i32",
      "usize", /* struct mmsghdr * */
      "u32", /* vlen */
      "i32", /* flags */
      "pointer", /* struct timespec * */
    ],
    result: "i32",
  },
  sendmmsg: {
    parameters: ["i32", "usize", /* struct mmsghdr * */ "u32", /* vlen */ "i32" /* flags */],
    result: "i32",
  },
  recvfrom: {
    parameters: [
      "i32",
      "buffer",
      "u32", /* size_t */
      "i32", /* flags */
      "buffer", /* struct sockaddr * */
      "buffer", /* socklen_t * */
    ],
    result: "i32", /* ssize_t */
  },
  sendto: {
    parameters: [
      "i32",
      "buffer",
      "u32", /* size_t */
      "i32", /* flags */
      "buffer", /* const struct sockaddr * */
      "u32", /* socklen_t */
    ],
    result: "i32", /* ssize_t */
  },
  // unistd.h, fcntl.h
  close: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  open: { parameters: ["buffer", /* const char * */ "i32", /* flags */ "u32" /* mode_t */], result: "i32" },
  pipe2: { parameters: ["buffer", /* int[2] */ "i32" /* flags */], result: "i32" },
  dup3: { parameters: ["i32", "i32", "i32" /* flags */], result: "i32" },
  fcntl: { parameters: ["i32", "i32", /* cmd */ "i32" /* arg */], result: "i32" },
  splice: {
    parameters: [
      "i32",
      "pointer", /* off64_t * */
      "i32",
      "pointer", /* off64_t * */
      "u32",
      "u32", /* flags */
    ],
    result: "i32",
  },
  ioctl: { parameters: ["i32", "usize", /* unsigned long request */ "buffer"], result: "i32" },
  // sys/epoll.h, sys/eventfd.h
  epoll_create1: { parameters: ["i32" /* flags */], result: "i32" },
  epoll_ctl: {
    parameters: ["i32", "i32", /* op */ "i32", /* fd */ "buffer" /* struct epoll_event * */],
    result: "i32",
  },
  epoll_wait: {
    parameters: ["i32", "buffer", /* struct epoll_event * */ "i32", /* maxevents */ "i32" /* timeout, ms */],
    result: "i32",
  },
  eventfd: { parameters: ["u32", /* initval */ "i32" /* flags */], result: "i32" },
  // poll.h
  poll: {
    parameters: ["buffer", /* struct pollfd * */ "u32", /* nfds_t */ "i32" /* timeout, ms */],
    result: "i32",
  },
  // The same on another thread: its errno is lost. For the main thread, which must not block.
  poll_elsewhere: {
    name: "poll",
    parameters: ["buffer", /* struct pollfd * */ "u32", /* nfds_t */ "i32" /* timeout, ms */],
    result: "i32",
    nonblocking: true,
  },
  // netdb.h
  getaddrinfo: {
    parameters: [
      "buffer", /* const char *node */
      "buffer", /* const char *service */
      "buffer", /* const struct addrinfo *hints */
      "buffer", /* struct addrinfo ** */
    ],
    result: "i32",
  },
  freeaddrinfo: { parameters: ["pointer" /* struct addrinfo * */], result: "void" },
  gai_strerror: { parameters: ["i32" /* EAI_… */], result: "pointer" /* const char * */ },
  getnameinfo: {
    parameters: [
      "buffer", /* const struct sockaddr * */
      "u32", /* socklen_t */
      "buffer", /* char *host */
      "u32",
      "buffer", /* char *service */
      "u32",
      "i32", /* flags */
    ],
    result: "i32",
  },
  // sys/vfs.h
  statfs: { parameters: ["buffer", /* const char * */ "buffer" /* struct statfs * */], result: "i32" },
  // sys/resource.h, sched.h, sys/prctl.h
  getrlimit: { parameters: ["i32", /* resource */ "buffer" /* struct rlimit * */], result: "i32" },
  setrlimit: { parameters: ["i32", /* resource */ "buffer" /* const struct rlimit * */], result: "i32" },
  unshare: { parameters: ["i32" /* flags */], result: "i32" },
  setns: { parameters: ["i32", /* fd */ "i32" /* nstype */], result: "i32" },
  gettid: { parameters: [], result: "i32" },
  // time.h
  clock_gettime: { parameters: ["i32", /* clockid_t */ "buffer" /* struct timespec * */], result: "i32" },
  // malloc.h, sys/mman.h
  malloc_trim: { parameters: ["usize" /* size_t pad */], result: "i32" },
  memfd_create: { parameters: ["buffer", /* const char * */ "u32" /* flags */], result: "i32" },
  madvise: { parameters: ["usize", /* void * */ "usize", /* size_t */ "i32" /* advice */], result: "i32" },
  // unistd.h: seccomp(2), which the C library has no function for
  syscall: {
    parameters: ["usize", "u32", /* operation */ "u32", /* flags */ "buffer" /* struct sock_fprog * */],
    result: "i32",
  },
  // errno.h
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The symbol table's type. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

function openLibc(): Libc {
  try {
    return Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  } catch (cause) {
    throw new Error("Cannot open libc.so.6: tproxy needs Linux with the GNU C library, and --allow-ffi", {
      cause,
    });
  }
}

/** The C library of this thread. Never closed. */
export const libc: Libc = openLibc();
